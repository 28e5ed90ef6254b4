import Columns

/// Values as text that says every bit, for checksums of whole columns.
enum ScalarText {
  static func hex(_ bytes: some Collection<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  static func text(_ scalar: Scalar, _ type: DataType) -> String {
    switch scalar {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .float(let value): "f\(Double(value).bitPattern)"
    case .double(let value): "f\(value.bitPattern)"
    case .decimal(let value, _): "\(value)"
    case .string(let value): "x" + hex(Array(value.utf8))
    case .binary(let value): "x" + hex(value)
    case .date(let value): "\(value)"
    case .timestamp(let value, _), .time(let value, _), .duration(let value, _): "\(value)"
    case .list(let values): "[" + values.map { text($0, type.childFields[0].type) }.joined(separator: ",") + "]"
    case .structure(let values):
      "{" + zip(values, type.childFields).map { text($0, $1.type) }.joined(separator: ",") + "}"
    }
  }
}
