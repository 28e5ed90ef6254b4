import Columns

/// Finds the byte that separates the fields of a file, where nobody says it.
///
/// Candidates are the delimiters that the first record has outside quotes. Where there are several, the records decide: under the right
/// one all of them have as many fields as the first. What fits as well is compared by what speaks for it, and where nothing does, or
/// something speaks for either, the file is refused: its readings are different tables.
struct CSVDelimiterGuess {
  /// One way to read the file.
  private struct Reading {
    let delimiter: UInt8
    let names: [String]
    let chunks: CSVChunks
    /// The line of the first record that is ragged or badly quoted.
    var unsoundLine: Int?
    var isSound: Bool { unsoundLine == nil }
    /// Of the first records, how many of the cells are numbers, times, bools or empty.
    var typedShare = 0.0
    /// Whether the cells of the first records hold other candidates as parts of numbers at most.
    var isClean = true
    /// Whether no name is the half of one in brackets.
    let isBalanced: Bool
    /// Whether a blank follows the delimiter in the first record: everywhere, nowhere.
    let isFollowedByBlanks: (everywhere: Bool, nowhere: Bool)
  }

  private let bytes: BufferSlice
  private let header: Range<Int>
  private let dataStart: Int
  private let lineEnd: UInt8
  private let options: CSVOptions

  /// - Parameters:
  ///   - header: the first record, without its line end.
  ///   - dataStart: where the first record of values starts.
  init(_ bytes: BufferSlice, header: Range<Int>, dataStart: Int, lineEnd: UInt8, _ options: CSVOptions) {
    self.bytes = bytes
    self.header = header
    self.dataStart = dataStart
    self.lineEnd = lineEnd
    self.options = options
  }

  /// As much is read before readings are compared; all that the options give to inference, before a file is refused.
  private static let firstByteCount = 1 << 20
  /// Whose cells are compared.
  private static let comparedRecordCount = 1000

  /// - Throws: `ambiguous` where several readings remain.
  /// - Complexity: O(header) with one candidate, else O(the first megabyte), and O(sample) where several readings fit that
  func delimiter() throws(TextError) -> UInt8 {
    let counts = candidateCounts()
    let present = CSVText.delimiters.filter { counts[Int($0)] > 0 }
    guard present.count > 1 else { return present.first ?? CSVText.delimiters[0] }
    // Where none fits: the comma, else the most frequent, as for a file with one candidate.
    var fallback = present[0]
    if fallback != CSVText.delimiters[0] {
      for candidate in present where counts[Int(candidate)] > counts[Int(fallback)] { fallback = candidate }
    }
    var readings = present.compactMap { reading($0, among: present) }
    guard !readings.isEmpty else { return fallback }
    for index in readings.indices { examine(&readings[index], byteCountMax: Self.firstByteCount, among: present) }
    if let best = best(of: readings) { return best }
    if readings.contains(where: \.isSound) {
      for index in readings.indices where readings[index].isSound {
        examine(&readings[index], byteCountMax: options.sampleByteCount, among: present)
      }
      if let best = best(of: readings) { return best }
    }
    let sound = readings.filter(\.isSound)
    guard sound.isEmpty else { throw ambiguous(sound) }
    // The reading that goes on longest is the likeliest, and its error the one to tell.
    let last = readings.compactMap(\.unsoundLine).max()
    let likeliest = readings.filter { $0.unsoundLine == last }.map(\.delimiter)
    return likeliest.contains(fallback) ? fallback : likeliest[0]
  }

  /// The sound reading that something speaks for against every other sound one, and nothing against.
  private func best(of readings: [Reading]) -> UInt8? {
    let sound = readings.filter(\.isSound)
    return sound.first { reading in
      sound.allSatisfy { $0.delimiter == reading.delimiter || Self.isBetter(reading, than: $0) && !Self.isBetter($0, than: reading) }
    }?.delimiter
  }

  private static func isBetter(_ a: Reading, than b: Reading) -> Bool {
    // Texts hold no tabs.
    a.delimiter == UInt8(ascii: "\t")
      // A name was cut in two.
      || a.isBalanced && !b.isBalanced
      // The other is punctuation.
      || a.isFollowedByBlanks.nowhere && b.isFollowedByBlanks.everywhere
      // More columns, and the other's cells hold this delimiter, which its own cells do only within numbers.
      || a.names.count > b.names.count && a.isClean && !b.isClean
      // More columns, and of values that are no less values.
      || a.names.count > b.names.count && a.typedShare >= b.typedShare
  }

  private func ambiguous(_ readings: [Reading]) -> TextError {
    let texts = readings.map { reading in
      let names = reading.names.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ") + (reading.names.count > 4 ? ", …" : "")
      return "\(Self.name(reading.delimiter)), which makes \(reading.names.count) columns (\(names))"
    }
    return TextError(.ambiguous, line: 1, "the delimiter may be \(texts.joined(separator: " or "))")
  }

  static func name(_ delimiter: UInt8) -> String {
    switch delimiter {
    case UInt8(ascii: ","): "a comma"
    case UInt8(ascii: ";"): "a semicolon"
    case UInt8(ascii: "\t"): "a tab"
    default: "a bar"
    }
  }

  // MARK: The first record

  private func candidateCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: 256)
    var isQuoted = false
    bytes.withBytes { raw in
      for byte in raw[header] {
        if byte == CSVText.quote { isQuoted.toggle() }
        if !isQuoted { counts[Int(byte)] += 1 }
      }
    }
    return counts
  }

  /// Nil where the first record cannot be read like this.
  private func reading(_ delimiter: UInt8, among candidates: [UInt8]) -> Reading? {
    let names = bytes.withBytes { raw in
      try? CSVHeader.names(UnsafeRawBufferPointer(rebasing: raw[header]), delimiter, line: 1, hasHeader: options.hasHeader)
    }
    guard let names else { return nil }
    var (followed, others) = (0, 0)
    var isQuoted = false
    bytes.withBytes { raw in
      for place in header {
        if raw[place] == CSVText.quote { isQuoted.toggle() }
        guard raw[place] == delimiter, !isQuoted else { continue }
        if place + 1 < header.upperBound && raw[place + 1] == UInt8(ascii: " ") { followed += 1 } else { others += 1 }
      }
    }
    return Reading(
      delimiter: delimiter, names: names,
      chunks: CSVChunks(bytes, CSVForm(delimiter: delimiter, lineEnd: lineEnd), position: dataStart, options: options),
      isBalanced: names.allSatisfy(Self.isBalanced), isFollowedByBlanks: (others == 0, followed == 0))
  }

  private static func isBalanced(_ name: String) -> Bool {
    var open: [UInt8] = []
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): open.append(byte)
      case UInt8(ascii: ")"): if open.popLast() != UInt8(ascii: "(") { return false }
      case UInt8(ascii: "]"): if open.popLast() != UInt8(ascii: "[") { return false }
      case UInt8(ascii: "}"): if open.popLast() != UInt8(ascii: "{") { return false }
      default: break
      }
    }
    return open.isEmpty
  }

  // MARK: Records

  private func examine(_ reading: inout Reading, byteCountMax: Int, among candidates: [UInt8]) {
    var chunks = reading.chunks
    let start = chunks.position
    let others = candidates.filter { $0 != reading.delimiter }
    var (typedCount, cellCount, recordCount) = (0, 0, 0)
    var isClean = true
    var offset = start
    let block = CSVBlock(fieldCount: reading.names.count, rowMax: Self.comparedRecordCount)
    do throws(TextError) {
      while chunks.position - start < byteCountMax,
        let chunk = try chunks.next(byteCountMax: min(Self.firstByteCount, byteCountMax - (chunks.position - start)))
      {
        offset = chunk.offset
        try chunk.bytes.withBytes { (raw) throws(TextError) in
          var tokenizer = CSVTokenizer(raw, chunks.form, fieldCount: reading.names.count)
          while true {
            let rows = try tokenizer.scan(block.cells, rowMax: block.rowMax)
            if rows == 0 { return }
            defer { recordCount += rows }
            guard recordCount < Self.comparedRecordCount else { continue }
            for column in reading.names.indices {
              let cells = block.column(column, of: raw, rowCount: rows, isASCII: false, nullTokens: NullTokens([]))
              for row in 0..<rows {
                cellCount += 1
                if Self.isTyped(cells, row) { typedCount += 1 }
                if isClean && Self.holds(cells.rawBytes(row), others) { isClean = false }
              }
            }
          }
        }
      }
      reading.unsoundLine = nil
    } catch {
      reading.unsoundLine = chunks.failure(error, offset).line
    }
    reading.isClean = isClean
    reading.typedShare = cellCount == 0 ? 0 : Double(typedCount) / Double(cellCount)
  }

  private static func isTyped(_ cells: CSVColumnCells, _ row: Int) -> Bool {
    guard let (start, length, _) = cells.text(row), length > 0 else { return true }
    let cell = UnsafeRawBufferPointer(start: start, count: length)
    if isNumber(cell) { return true }
    var evidence = ColumnEvidence()
    evidence.note(cell: cell)
    return !evidence.isText
  }

  /// Digits with points and commas between them, in whichever sense.
  private static func isNumber(_ cell: UnsafeRawBufferPointer) -> Bool {
    func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
    guard let first = cell.first, let last = cell.last, isDigit(last), isDigit(first) || (first == UInt8(ascii: "-") && cell.count > 1)
    else { return false }
    return cell.dropFirst().allSatisfy { isDigit($0) || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ".") }
  }

  /// Whether a cell that is neither quoted nor a number has one of these bytes.
  private static func holds(_ cell: UnsafeRawBufferPointer, _ others: [UInt8]) -> Bool {
    guard cell.first != CSVText.quote, cell.contains(where: { others.contains($0) }) else { return false }
    return !isNumber(cell)
  }
}
