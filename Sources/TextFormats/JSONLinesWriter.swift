import Columns
import JSON

/// Writes JSON Lines: one object a row, all keys in the order of the schema.
///
/// Null is `null`; 64-bit integers have all their digits; doubles are the shortest text that reads back, with a point or an
/// exponent; NaN, the infinities and decimals are strings, dates and timestamps (UTC, microseconds) too, binary is base64.
package struct JSONLinesWriter: Sendable {
  package let schema: Schema
  /// `{"name":` for the first column, `,"name":` for the others.
  private let prefixes: [[UInt8]]

  package init(schema: Schema) {
    self.schema = schema
    prefixes = schema.fields.enumerated().map { index, field in
      var writer = JSONWriter()
      writer.raw(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
      writer.appendString(field.name)
      writer.raw(UInt8(ascii: ":"))
      return writer.bytes
    }
  }

  /// - Precondition: the batch has the schema's columns.
  /// - Complexity: O(bytes written)
  package mutating func write(_ batch: Batch, to sink: inout [UInt8]) {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has not the columns of the file")
    var writer = JSONWriter()
    // The bytes go through the writer and back without a copy.
    swap(&writer.bytes, &sink)
    for row in 0..<batch.rowCount {
      if batch.columns.isEmpty { writer.raw(UInt8(ascii: "{")) }
      for (index, column) in batch.columns.enumerated() {
        writer.raw(prefixes[index])
        JSONLinesWriter.append(column, row, to: &writer)
      }
      writer.raw("}\n")
    }
    swap(&writer.bytes, &sink)
  }

  private static func append(_ column: Column, _ row: Int, to writer: inout JSONWriter) {
    guard column.isValid(row) else {
      writer.appendNull()
      return
    }
    switch column.type {
    case .bool: writer.appendBool(column.bits[row])
    case .int8: writer.appendInt(Int64(column.values(Int8.self)[row]))
    case .int16: writer.appendInt(Int64(column.values(Int16.self)[row]))
    case .int32: writer.appendInt(Int64(column.values(Int32.self)[row]))
    case .int64: writer.appendInt(column.values(Int64.self)[row])
    case .uint8: writer.appendUInt(UInt64(column.values(UInt8.self)[row]))
    case .uint16: writer.appendUInt(UInt64(column.values(UInt16.self)[row]))
    case .uint32: writer.appendUInt(UInt64(column.values(UInt32.self)[row]))
    case .uint64: writer.appendUInt(column.values(UInt64.self)[row])
    case .float32:
      let value = column.values(Float.self)[row]
      // The shortest text of single precision reads back as the same value.
      if value.isFinite { writer.raw(value.description.utf8) } else { writer.appendDouble(Double(value)) }
    case .float64: writer.appendDouble(column.values(Double.self)[row])
    case .string: writer.appendString(utf8: column.bytes[row])
    case .decimal(_, let scale): quoted(&writer) { NumberText.appendDecimal(column.values(Int128.self)[row], scale: scale, to: &$0) }
    case .date: quoted(&writer) { CivilTime.appendDate(days: Int64(column.values(Int32.self)[row]), to: &$0) }
    case .timestamp(let unit, _): quoted(&writer) { CivilTime.appendTimestamp(column.values(Int64.self)[row], unit, to: &$0) }
    case .binary: quoted(&writer) { Base64.append(column.bytes[row], to: &$0) }
    }
  }

  private static func quoted(_ writer: inout JSONWriter, _ body: (inout [UInt8]) -> Void) {
    writer.raw(UInt8(ascii: "\""))
    body(&writer.bytes)
    writer.raw(UInt8(ascii: "\""))
  }
}
