import Columns

/// Writes the values of a column one after another, each type in a loop of its own.
struct ColumnText {
  let column: Column
  let style: CellStyle

  /// Appends the cells of the rows.
  /// - Parameter ends: gets the length of the text behind each cell; as many places as rows.
  func append(_ rows: Range<Int>, to text: inout TextBuffer, ends: UnsafeMutablePointer<Int>) {
    defer { _fixLifetime(column) }
    let style = self.style
    switch column.type {
    case .bool:
      let bits = column.bits
      cells(rows, &text, ends) { $0.append(bits[$1] ? "true" : "false") }
    case .int8: integers(rows, &text, ends, Int8.self)
    case .int16: integers(rows, &text, ends, Int16.self)
    case .int32: integers(rows, &text, ends, Int32.self)
    case .int64, .duration: integers(rows, &text, ends, Int64.self)
    case .uint8: integers(rows, &text, ends, UInt8.self)
    case .uint16: integers(rows, &text, ends, UInt16.self)
    case .uint32: integers(rows, &text, ends, UInt32.self)
    case .uint64:
      let base = column.values(UInt64.self).base
      cells(rows, &text, ends) { $0.append(integer: base[$1]) }
    case .float16:
      let base = column.values(Float16.self).base
      cells(rows, &text, ends) { style.append(half: base[$1], to: &$0) }
    case .float32:
      let base = column.values(Float.self).base
      cells(rows, &text, ends) { style.append(float: base[$1], to: &$0) }
    case .float64:
      let base = column.values(Double.self).base
      cells(rows, &text, ends) { style.append(double: base[$1], to: &$0) }
    case .decimal(_, let scale):
      let base = column.values(Int128.self).base
      cells(rows, &text, ends) { (text, row) in style.quoted(&text) { $0.append(decimal: base[row], scale: scale) } }
    case .date:
      let base = column.values(Int32.self).base
      var dates = DateText()
      cells(rows, &text, ends) { (text, row) in style.quoted(&text) { $0.append(days: Int64(base[row]), &dates) } }
    case .timestamp(let unit, _):
      let base = column.values(Int64.self).base
      var dates = DateText()
      cells(rows, &text, ends) { (text, row) in style.quoted(&text) { $0.append(ticks: base[row], unit, &dates) } }
    case .string:
      let bytes = column.bytes
      cells(rows, &text, ends) { style.append(string: bytes[$1], to: &$0) }
    case .binary:
      let bytes = column.bytes
      cells(rows, &text, ends) { style.append(binary: bytes[$1], to: &$0) }
    case .time, .fixedBinary, .list, .map, .structure:
      if column.type.isNested && style != .json {
        // The JSON text is one field.
        var inner = TextBuffer()
        cells(rows, &text, ends) { (text, row) in
          inner.removeAll()
          JSONText.append(column, row, to: &inner)
          inner.withBytes { style.append(string: $0, to: &text) }
        }
      } else {
        cells(rows, &text, ends) { ColumnText.append(column, $1, style, to: &$0) }
      }
    }
  }

  @inline(__always) private func cells(
    _ rows: Range<Int>, _ text: inout TextBuffer, _ ends: UnsafeMutablePointer<Int>, _ put: (inout TextBuffer, Int) -> Void
  ) {
    var place = 0
    if let validity = column.validity {
      for row in rows {
        if validity[row] { put(&text, row) } else { style.appendNull(to: &text) }
        ends[place] = text.count
        place &+= 1
      }
    } else {
      for row in rows {
        put(&text, row)
        ends[place] = text.count
        place &+= 1
      }
    }
  }

  @inline(__always) private func integers<Value: FixedWidthInteger & BitwiseCopyable>(
    _ rows: Range<Int>, _ text: inout TextBuffer, _ ends: UnsafeMutablePointer<Int>, _: Value.Type
  ) {
    let base = column.values(Value.self).base
    cells(rows, &text, ends) { $0.append(integer: Int64(truncatingIfNeeded: base[$1])) }
  }

  /// One value, for types that are rare and for values inside others.
  static func append(_ column: Column, _ row: Int, _ style: CellStyle, to text: inout TextBuffer) {
    guard column.isValid(row) else { return style.appendNull(to: &text) }
    switch column.type {
    case .bool: text.append(column.bits[row] ? "true" : "false")
    case .int8: text.append(integer: Int64(column.values(Int8.self)[row]))
    case .int16: text.append(integer: Int64(column.values(Int16.self)[row]))
    case .int32: text.append(integer: Int64(column.values(Int32.self)[row]))
    case .int64, .duration: text.append(integer: column.values(Int64.self)[row])
    case .uint8: text.append(integer: UInt64(column.values(UInt8.self)[row]))
    case .uint16: text.append(integer: UInt64(column.values(UInt16.self)[row]))
    case .uint32: text.append(integer: UInt64(column.values(UInt32.self)[row]))
    case .uint64: text.append(integer: column.values(UInt64.self)[row])
    case .float16: style.append(half: column.values(Float16.self)[row], to: &text)
    case .float32: style.append(float: column.values(Float.self)[row], to: &text)
    case .float64: style.append(double: column.values(Double.self)[row], to: &text)
    case .decimal(_, let scale): style.quoted(&text) { $0.append(decimal: column.values(Int128.self)[row], scale: scale) }
    case .date: style.quoted(&text) { $0.append(days: Int64(column.values(Int32.self)[row])) }
    case .time(let unit):
      let ticks = column.type.byteWidth == 4 ? Int64(column.values(Int32.self)[row]) : column.values(Int64.self)[row]
      style.quoted(&text) { $0.append(timeOfDay: ticks, unit) }
    case .timestamp(let unit, _):
      var dates = DateText()
      style.quoted(&text) { $0.append(ticks: column.values(Int64.self)[row], unit, &dates) }
    case .string: style.append(string: column.bytes[row], to: &text)
    case .binary: style.append(binary: column.bytes[row], to: &text)
    case .fixedBinary(let width):
      column.data.slice(byteOffset: row * width, byteCount: width).withBytes { style.append(binary: $0, to: &text) }
    case .list, .map, .structure: JSONText.append(column, row, to: &text)
    }
  }
}
