import Columns
import JSON

/// Columns whose floats will be taken for integers by whoever reads them, so that one which only looks whole must not pass: as doubles
/// 9007199254740993.0 is its neighbour, and 1.0000000000000001 is 1.
struct WholeNumberColumns: Sendable {
  private let isChecked: [Bool]
  /// Most files have none.
  private let isEmpty: Bool

  /// - Parameter names: only those of them are looked at whose type was inferred as a float.
  init(_ schema: Schema, _ isInferred: [Bool], _ names: Set<String>) {
    isChecked = zip(schema.fields, isInferred).map { $1 && $0.type == .float64 && names.contains($0.name) }
    isEmpty = !isChecked.contains(true)
  }

  @inline(__always) func contains(_ index: Int) -> Bool { !isEmpty && isChecked[index] }

  /// Whether the double of a number is whole, but not what the text says.
  static func isRounded(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let value = NumberText.parseDouble(text), value.isFinite, value.rounded() == value else { return false }
    guard let (isNegative, magnitude) = WholeNumber.parse(text) else { return value.magnitude < 0x1p64 }
    return UInt64(exactly: value.magnitude) != magnitude || (value < 0) != (isNegative && magnitude > 0)
  }

  /// What is wrong with such a number.
  static func problem(_ text: UnsafeRawBufferPointer) -> String {
    "expected a number that float64 holds exactly, found \(TextError.quoted(text))"
  }
}
