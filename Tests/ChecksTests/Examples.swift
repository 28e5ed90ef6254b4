import Columns
import Foundation

@testable import Checks

/// Files of the repository that tests read.
enum Examples {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// A contract in few words: `columns` are YAML flow mappings, `dataset` further lines of the dataset's block.
  static func yaml(columns: [String], dataset: String = "", tail: String = "") -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    schema:
    - name: t
      properties:
    \(columns.map { "  - \($0)" }.joined(separator: "\n"))
    \(dataset)
    \(tail)
    """
  }

  static let key = "{name: id, logicalType: integer, primaryKey: true}"

  static func contract(_ columns: [String], dataset: String = "", tail: String = "") throws -> Contract {
    try Contract.parse(yaml: yaml(columns: [key] + columns, dataset: dataset, tail: tail), file: "t.yaml")[0]
  }

  /// Rows with ids 1, 2, … and one more column.
  static func batch(_ name: String, _ type: DataType, _ values: [Scalar]) -> Batch {
    let ids = Column(.int64, (0..<values.count).map { .int(Int64($0 + 1)) })
    return Batch(
      schema: Schema([Field("id", .int64, isNullable: false), Field(name, type)]), columns: [ids, Column(type, values)],
      rowCount: values.count)
  }

  /// The verdict on one batch of a table (id, x).
  static func verdict(_ column: String, _ type: DataType, _ values: [Scalar]) throws -> Verdict {
    var gate = try Gate(contract: contract([column]))
    let conformed = try gate.conform(batch("x", type, values), source: "rows.csv", firstRow: 0)
    gate.check(conformed, firstRow: 0)
    return gate.verdict()
  }
}

extension Verdict {
  /// Rows (from 1) that the declared rules of column x name.
  var failedRows: [[Int]] { results.filter { $0.rule.columns == ["x"] }.map { $0.firstFailures.map(\.row) } }
}
