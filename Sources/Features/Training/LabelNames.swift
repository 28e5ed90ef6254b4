import Columns
import JSON

extension Column {
  /// The values of a label column that name something, exactly or not at all. Integers may stand in texts, as `get` and HTTP take
  /// them: in files that say no types, numbers that no float holds exactly are texts, and so are those with zeros in front.
  /// - Parameter nanAsNull: NaN is null where the target is an integer.
  /// - Complexity: O(count)
  func castName(to target: DataType, nanAsNull: Bool) throws(CastError) -> Column {
    guard type == .string else { return try cast(to: target, nanAsNull: nanAsNull, unambiguous: true) }
    switch target {
    case .int8: return try wholeNumbers(Int8.self, target, nanAsNull)
    case .int16: return try wholeNumbers(Int16.self, target, nanAsNull)
    case .int32: return try wholeNumbers(Int32.self, target, nanAsNull)
    case .int64: return try wholeNumbers(Int64.self, target, nanAsNull)
    case .uint8: return try wholeNumbers(UInt8.self, target, nanAsNull)
    case .uint16: return try wholeNumbers(UInt16.self, target, nanAsNull)
    case .uint32: return try wholeNumbers(UInt32.self, target, nanAsNull)
    case .uint64: return try wholeNumbers(UInt64.self, target, nanAsNull)
    default: return try cast(to: target, nanAsNull: nanAsNull, unambiguous: true)
    }
  }

  private func wholeNumbers<Value: FixedWidthInteger & BitwiseCopyable>(
    _: Value.Type, _ target: DataType, _ nanAsNull: Bool
  ) throws(CastError) -> Column {
    defer { withExtendedLifetime(self) {} }
    let texts = bytes
    var builder = ColumnBuilder(target, capacity: count)
    for row in 0..<count {
      if !isValid(row) {
        builder.appendNull()
      } else if let value = WholeNumber.parse(texts[row], as: Value.self) {
        builder.append(value)
      } else if nanAsNull, texts[row].elementsEqual("NaN".utf8) {
        builder.appendNull()
      } else {
        throw CastError(from: type, to: target, reason: .value(row: row, scalar(at: row)))
      }
    }
    return builder.finish()
  }
}
