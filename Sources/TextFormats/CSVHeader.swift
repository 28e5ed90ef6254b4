import Columns

/// The first record of a file, and what it shows of the file's form.
struct CSVHeader {
  let form: CSVForm
  let names: [String]
  /// Where the first record of values starts.
  let end: Int

  /// - Throws: `TextError`: `malformed` for a file without a header or with one that cannot be read, `ambiguous` where the delimiter
  ///   is neither given nor to be found.
  init(_ bytes: BufferSlice, _ options: CSVOptions) throws(TextError) {
    let (record, lineEnd, next) = try bytes.withBytes { (raw) throws(TextError) in try CSVHeader.place(raw, options) }
    end = options.hasHeader ? next : record.lowerBound
    let guess = CSVDelimiterGuess(bytes, header: record, dataStart: end, lineEnd: lineEnd, options)
    let delimiter: UInt8
    if let given = options.delimiter { delimiter = given } else { delimiter = try guess.delimiter() }
    form = CSVForm(delimiter: delimiter, lineEnd: lineEnd)
    names = try bytes.withBytes { (raw) throws(TextError) in
      let line = TextError.lineCount(before: record.lowerBound, of: raw, lineEnd: lineEnd) + 1
      return try CSVHeader.names(UnsafeRawBufferPointer(rebasing: raw[record]), delimiter, line: line, hasHeader: options.hasHeader)
    }
  }

  /// The first record without its line end, what ends lines, and where the next record starts.
  private static func place(
    _ raw: UnsafeRawBufferPointer, _ options: CSVOptions
  ) throws(TextError) -> (record: Range<Int>, lineEnd: UInt8, next: Int) {
    try TextError.refuseUTF16(raw)
    var start = raw.count >= 3 && raw[0] == 0xEF && raw[1] == 0xBB && raw[2] == 0xBF ? 3 : 0
    if options.hasHeader {
      while start < raw.count && (raw[start] == 0x0A || raw[start] == 0x0D) { start += 1 }
    }
    guard start < raw.count else {
      throw TextError(.malformed, line: 1, "the file is empty: expected a header with the names of the columns")
    }
    let (recordEnd, lineEnd) = CSVHeader.firstLineEnd(raw, from: start)
    var next = min(recordEnd + 1, raw.count)
    // Behind CR there may be LF, in files of either form.
    if recordEnd < raw.count && raw[recordEnd] == 0x0D && next < raw.count && raw[next] == 0x0A { next += 1 }
    return (start..<recordEnd, lineEnd, next)
  }

  /// The names that a record gives to columns; of a file without names `column_1` and so on.
  static func names(
    _ record: UnsafeRawBufferPointer, _ delimiter: UInt8, line: Int, hasHeader: Bool
  ) throws(TextError) -> [String] {
    let fields = CSVHeader.fields(record, delimiter)
    guard hasHeader else { return fields.indices.map { "column_\($0 + 1)" } }
    var names: [String] = []
    var seen: Set<String> = []
    for (index, field) in fields.enumerated() {
      let name = try CSVHeader.name(field, line, index)
      guard seen.insert(name).inserted else {
        throw TextError(.malformed, line: line, column: index + 1, fieldName: name, "two columns have this name")
      }
      names.append(name)
    }
    return names
  }

  /// The place of the first line end outside quotes, or the end; and which byte ends lines.
  private static func firstLineEnd(_ raw: UnsafeRawBufferPointer, from start: Int) -> (place: Int, lineEnd: UInt8) {
    var isQuoted = false
    for place in start..<raw.count {
      let byte = raw[place]
      if byte == CSVText.quote { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == 0x0A { return (place, 0x0A) }
      if byte == 0x0D { return (place, place + 1 < raw.count && raw[place + 1] == 0x0A ? 0x0A : 0x0D) }
    }
    return (raw.count, 0x0A)
  }

  /// The fields with their quotes.
  private static func fields(_ record: UnsafeRawBufferPointer, _ delimiter: UInt8) -> [UnsafeRawBufferPointer] {
    var fields: [UnsafeRawBufferPointer] = []
    var start = 0
    var isQuoted = false
    for place in 0..<record.count {
      if record[place] == CSVText.quote { isQuoted.toggle() }
      if record[place] == delimiter && !isQuoted {
        fields.append(UnsafeRawBufferPointer(rebasing: record[start..<place]))
        start = place + 1
      }
    }
    fields.append(UnsafeRawBufferPointer(rebasing: record[start...]))
    return fields
  }

  private static func name(_ field: UnsafeRawBufferPointer, _ line: Int, _ index: Int) throws(TextError) -> String {
    var plain = Array(field)
    if field.first == CSVText.quote {
      let inner = UnsafeRawBufferPointer(rebasing: field[1..<max(1, field.count - 1)])
      guard field.count >= 2, field[field.count - 1] == CSVText.quote else {
        let text = inner.contains(CSVText.quote) ? "expected the end of the field behind its closing quote" : "the closing quote is missing"
        throw TextError(.malformed, line: line, column: index + 1, text)
      }
      plain = CSVText.unescaped(inner)
      guard inner.count(where: { $0 == CSVText.quote }) % 2 == 0 else {
        throw TextError(.malformed, line: line, column: index + 1, "expected the end of the field behind its closing quote")
      }
    } else if plain.contains(CSVText.quote) {
      throw TextError(.malformed, line: line, column: index + 1, "a quote inside a field that is not quoted")
    }
    guard let name = String(validating: plain, as: UTF8.self) else {
      throw TextError(.malformed, line: line, column: index + 1, "the column's name is not valid UTF-8")
    }
    return name.isEmpty ? "column_\(index + 1)" : name
  }
}
