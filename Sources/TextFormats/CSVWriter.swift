import Columns

/// Writes CSV (RFC 4180) with a header, LF line ends and quotes only where needed.
///
/// Null is an empty field, the empty string `""`; doubles are the shortest text that reads back, `NaN` and `Infinity`;
/// timestamps are RFC 3339 in UTC with microseconds, binary is base64. What it writes, `CSVReader` reads back exactly.
package struct CSVWriter: Sendable {
  package let schema: Schema
  package let delimiter: UInt8
  private var hasHeader = false

  package init(schema: Schema, delimiter: UInt8 = UInt8(ascii: ",")) {
    self.schema = schema
    self.delimiter = delimiter
  }

  /// - Precondition: the batch has the schema's columns.
  /// - Complexity: O(bytes written)
  package mutating func write(_ batch: Batch, to sink: inout [UInt8]) {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has not the columns of the file")
    writeHeader(to: &sink)
    let writers = batch.columns.map { CSVColumnText($0, delimiter: delimiter) }
    for row in 0..<batch.rowCount {
      for (index, writer) in writers.enumerated() {
        if index > 0 { sink.append(delimiter) }
        writer.append(row, to: &sink)
      }
      sink.append(0x0A)
    }
  }

  /// Writes the header if there were no rows.
  package mutating func finish(to sink: inout [UInt8]) { writeHeader(to: &sink) }

  private mutating func writeHeader(to sink: inout [UInt8]) {
    if hasHeader { return }
    hasHeader = true
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { sink.append(delimiter) }
      var name = field.name
      name.withUTF8 { CSVColumnText.append(text: UnsafeRawBufferPointer($0), delimiter: delimiter, to: &sink) }
    }
    sink.append(0x0A)
  }
}

/// The cells of one column as text.
private struct CSVColumnText {
  let column: Column
  let delimiter: UInt8

  init(_ column: Column, delimiter: UInt8) {
    self.column = column
    self.delimiter = delimiter
  }

  func append(_ row: Int, to sink: inout [UInt8]) {
    guard column.isValid(row) else { return }
    switch column.type {
    case .bool: sink.append(contentsOf: column.bits[row] ? "true".utf8 : "false".utf8)
    case .int8: NumberText.append(Int64(column.values(Int8.self)[row]), to: &sink)
    case .int16: NumberText.append(Int64(column.values(Int16.self)[row]), to: &sink)
    case .int32: NumberText.append(Int64(column.values(Int32.self)[row]), to: &sink)
    case .int64: NumberText.append(column.values(Int64.self)[row], to: &sink)
    case .uint8: NumberText.append(UInt64(column.values(UInt8.self)[row]), to: &sink)
    case .uint16: NumberText.append(UInt64(column.values(UInt16.self)[row]), to: &sink)
    case .uint32: NumberText.append(UInt64(column.values(UInt32.self)[row]), to: &sink)
    case .uint64: NumberText.append(column.values(UInt64.self)[row], to: &sink)
    case .float32: NumberText.append(column.values(Float.self)[row], to: &sink)
    case .float64: NumberText.append(column.values(Double.self)[row], to: &sink)
    case .decimal(_, let scale): NumberText.appendDecimal(column.values(Int128.self)[row], scale: scale, to: &sink)
    case .date: CivilTime.appendDate(days: Int64(column.values(Int32.self)[row]), to: &sink)
    case .timestamp(let unit, _): CivilTime.appendTimestamp(column.values(Int64.self)[row], unit, to: &sink)
    case .string: CSVColumnText.append(text: column.bytes[row], delimiter: delimiter, to: &sink)
    case .binary:
      let bytes = column.bytes[row]
      if bytes.isEmpty { sink.append(contentsOf: "\"\"".utf8) } else { Base64.append(bytes, to: &sink) }
    }
  }

  static func append(text: UnsafeRawBufferPointer, delimiter: UInt8, to sink: inout [UInt8]) {
    if !text.isEmpty && !text.contains(where: { $0 == delimiter || $0 == CSVScanner.quote || $0 == 0x0A || $0 == 0x0D }) {
      sink.append(contentsOf: text)
      return
    }
    sink.append(CSVScanner.quote)
    for byte in text {
      if byte == CSVScanner.quote { sink.append(byte) }
      sink.append(byte)
    }
    sink.append(CSVScanner.quote)
  }
}
