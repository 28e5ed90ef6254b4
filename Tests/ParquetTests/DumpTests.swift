import Columns
import Glibc
import Testing

@testable import Parquet

/// Writes what is read from every file of a folder as text, for comparison with another engine: set ALMANAC_PARQUET_IN and
/// ALMANAC_PARQUET_DUMP to run it.
@Suite struct DumpTests {
  static let output = getenv("ALMANAC_PARQUET_DUMP").map { String(cString: $0) }

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

  @Test(.enabled(if: ForeignFileTests.input != nil && output != nil)) func filesAreDumped() throws {
    guard let input = ForeignFileTests.input, let output = Self.output else { return }
    for name in ForeignFileTests.names(input) {
      guard let bytes = ForeignFileTests.bytes("\(input)/\(name)"), let file = fopen("\(output)/\(name).txt", "w") else { continue }
      defer { fclose(file) }
      do throws(ParquetError) {
        let batch = try ParquetReader(bytes: bytes).readAll()
        for (field, column) in zip(batch.schema.fields, batch.columns) {
          fputs("# \(field.name) \(field.type) \(field.isNullable)\n", file)
          for row in 0..<column.count { fputs(Self.text(column.scalar(at: row), field.type) + "\n", file) }
        }
      } catch {
        fputs("ERROR \(error.kind): \(error)\n", file)
      }
    }
  }
}
