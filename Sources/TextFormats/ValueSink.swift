import Columns

/// What values of one type can be appended to: a column of rows, or the builder of a nested value's part.
protocol ValueSink {
  var type: DataType { get }
  mutating func append<Value: BitwiseCopyable>(_ value: Value)
  mutating func append(bool value: Bool)
  mutating func append(bytes: UnsafeRawBufferPointer)
  mutating func append(fixed bytes: UnsafeRawBufferPointer)
  mutating func appendNull()
}

extension ColumnBuilder: ValueSink {}
extension RowColumn: ValueSink {}
