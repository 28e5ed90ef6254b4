/// The first record of a file, and what it shows of the file's form.
struct CSVHeader {
  let form: CSVForm
  let names: [String]
  /// Where the first record of values starts.
  let end: Int

  init(_ raw: UnsafeRawBufferPointer, _ options: CSVOptions) throws(TextError) {
    try TextError.refuseUTF16(raw)
    var start = raw.count >= 3 && raw[0] == 0xEF && raw[1] == 0xBB && raw[2] == 0xBF ? 3 : 0
    if options.hasHeader {
      while start < raw.count && (raw[start] == 0x0A || raw[start] == 0x0D) { start += 1 }
    }
    guard start < raw.count else {
      throw TextError(.malformed, line: 1, "the file is empty: expected a header with the names of the columns")
    }
    let (recordEnd, lineEnd) = CSVHeader.firstLineEnd(raw, from: start)
    let record = UnsafeRawBufferPointer(rebasing: raw[start..<recordEnd])
    form = CSVForm(delimiter: options.delimiter ?? CSVHeader.sniff(record), lineEnd: lineEnd)
    let line = TextError.lineCount(before: start, of: raw, lineEnd: lineEnd) + 1
    let fields = CSVHeader.fields(record, form.delimiter)
    guard options.hasHeader else {
      names = fields.indices.map { "column_\($0 + 1)" }
      end = start
      return
    }
    var names: [String] = []
    var seen: Set<String> = []
    for (index, field) in fields.enumerated() {
      let name = try CSVHeader.name(field, line, index)
      guard seen.insert(name).inserted else {
        throw TextError(.malformed, line: line, column: index + 1, fieldName: name, "two columns have this name")
      }
      names.append(name)
    }
    self.names = names
    var next = min(recordEnd + 1, raw.count)
    // Behind CR there may be LF, in files of either form.
    if recordEnd < raw.count && raw[recordEnd] == 0x0D && next < raw.count && raw[next] == 0x0A { next += 1 }
    end = next
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

  /// The comma if there is one outside quotes, else the most frequent of semicolon, tab and bar; the comma without any.
  private static func sniff(_ record: UnsafeRawBufferPointer) -> UInt8 {
    var counts = [Int](repeating: 0, count: 256)
    var isQuoted = false
    for byte in record {
      if byte == CSVText.quote { isQuoted.toggle() }
      if !isQuoted { counts[Int(byte)] += 1 }
    }
    var best = CSVText.delimiters[0]
    if counts[Int(best)] > 0 { return best }
    for candidate in CSVText.delimiters where counts[Int(candidate)] > counts[Int(best)] { best = candidate }
    return best
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
