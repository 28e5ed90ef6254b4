import Columns

/// Writes CSV (RFC 4180) with a header, LF line ends and quotes only where needed.
///
/// Null is an empty field, the empty string `""`; floats are the shortest text that reads back, `NaN` and `Infinity`;
/// timestamps are RFC 3339 in UTC with microseconds, times of day have the digits of their unit, durations are their ticks,
/// binary is base64; lists, maps and structures are the JSON text that `JSONLinesWriter` writes, in one field. What it
/// writes, `CSVReader` reads back exactly when it is given the types.
package struct CSVWriter: Sendable {
  package let schema: Schema
  package let delimiter: UInt8
  private let rows: RowText
  private var hasHeader = false

  package init(schema: Schema, delimiter: UInt8 = UInt8(ascii: ",")) {
    self.schema = schema
    self.delimiter = delimiter
    let prefixes = schema.fields.indices.map { $0 == 0 ? [] : [delimiter] }
    rows = RowText(style: .csv(delimiter: delimiter), prefixes: prefixes, rowEnd: [0x0A])
  }

  /// Appends the rows, formatted on all processors; the caller writes the bytes out and may empty the sink between batches.
  /// - Precondition: the batch has the schema's columns.
  /// - Complexity: O(bytes written); besides the sink the text of this batch is held once more.
  package mutating func write(_ batch: Batch, to sink: inout [UInt8]) {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has not the columns of the file")
    writeHeader(to: &sink)
    rows.append(batch, to: &sink)
  }

  /// Writes the header if there were no rows.
  package mutating func finish(to sink: inout [UInt8]) { writeHeader(to: &sink) }

  private mutating func writeHeader(to sink: inout [UInt8]) {
    if hasHeader { return }
    hasHeader = true
    var text = TextBuffer()
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { text.append(delimiter) }
      var name = field.name
      name.withUTF8 { CSVText.append(name: UnsafeRawBufferPointer($0), delimiter: delimiter, to: &text) }
    }
    text.append(UInt8(0x0A))
    text.withBytes { sink.append(contentsOf: $0) }
  }
}
