import Columns

/// Writes JSON Lines: one object a row, all keys in the order of the schema.
///
/// Null is `null`; 64-bit integers have all their digits; floats are the shortest text that reads back, with a point or an
/// exponent; NaN, the infinities and decimals are strings, dates, times of day and timestamps (UTC, microseconds, nine
/// digits for nanoseconds that need them) too, durations are their ticks, binary is base64. A list is an array, a structure
/// an object, a map an array of objects with the members `key` and `value`.
package struct JSONLinesWriter: Sendable {
  package let schema: Schema
  private let rows: RowText

  package init(schema: Schema) {
    self.schema = schema
    let prefixes = schema.fields.enumerated().map { index, field in
      var text = TextBuffer()
      text.append(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
      JSONText.append(name: field.name, to: &text)
      return text.withBytes { Array($0) }
    }
    rows = RowText(style: .json, prefixes: prefixes, rowEnd: Array((schema.fields.isEmpty ? "{}\n" : "}\n").utf8))
  }

  /// Appends the rows, formatted on all processors; the caller writes the bytes out and may empty the sink between batches.
  /// - Precondition: the batch has the schema's columns.
  /// - Complexity: O(bytes written); besides the sink the text of this batch is held once more.
  package mutating func write(_ batch: Batch, to sink: inout [UInt8]) {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has not the columns of the file")
    rows.append(batch, to: &sink)
  }
}
