import Almanac
import Columns
import Testing

/// Several columns that take each other's names in one apply: values follow the columns, in every direction of history.
@Suite struct RenameChainTests {
  /// - Parameter columns: names, with the name before where there is one.
  private func declare(_ workshop: Workshop, _ columns: [(name: String, previous: String?)]) throws {
    let lines = columns.map { column in
      let previous = column.previous.map { ", customProperties: [{property: almanac, value: {previousName: \($0)}}]" } ?? ""
      return "  - {name: \(column.name), physicalType: int64\(previous)}\n"
    }
    try workshop.declare(
      "schemas/t.yaml",
      """
      apiVersion: v3.1.0
      kind: DataContract
      id: t
      version: 1.0.0
      status: active
      schema:
      - name: t
        properties:
        - {name: k, physicalType: int64, primaryKey: true}

      """ + lines.joined())
  }

  private func names(_ workshop: Workshop, at spec: String = "main") throws -> [String] {
    try workshop.repository.table("t", at: workshop.repository.resolve(spec)).layout.schema.fields.map(\.name)
  }

  static let chains: [[(name: String, previous: String?)]] = [
    [("z", "a"), ("a", "b"), ("b", "c")], [("b", "c"), ("a", "b"), ("z", "a")], [("a", "b"), ("z", "a"), ("b", "c")],
    // The last one's name goes to a new column.
    [("z", "a"), ("a", "b"), ("b", nil)],
  ]

  @Test(arguments: chains) func columnsOfAChainKeepTheirValues(columns: [(name: String, previous: String?)]) throws {
    let workshop = try Workshop()
    try declare(workshop, [("a", nil), ("b", nil), ("c", nil)])
    try workshop.apply()
    let old = try workshop.commit("t", workshop.write("t.csv", "k,a,b,c\n1,10,20,30\n2,11,21,31\n")).commit
    try declare(workshop, columns)
    guard columns.allSatisfy({ $0.previous != nil }) else {
      let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
      #expect(
        error?.description
          == "Cannot change dataset t, which has committed rows: column a may continue b, or be new, as b is still declared; "
          + "change one name at a time")
      return
    }
    try workshop.apply()
    let values: [String: Int64] = ["z": 10, "a": 20, "b": 30]
    let expected = (0..<2).map { row in [Scalar.int(Int64(row) + 1)] + columns.map { .int(values[$0.name]! + Int64(row)) } }
    #expect(try names(workshop) == ["k"] + columns.map(\.name))
    #expect(try workshop.rows("t") == expected)
    // The contract as it is says nothing new.
    #expect(try workshop.apply().changes.isEmpty)
    // Rows of the new names beside those of the old ones.
    try workshop.commit("t", workshop.write("u.csv", "k,z,a,b\n3,1,2,3\n2,5,6,7\n"), .upsert)
    let later: [String: [Int64]] = ["z": [10, 5, 1], "a": [20, 6, 2], "b": [30, 7, 3]]
    #expect(
      try workshop.rows("t") == (0..<3).map { row in [Scalar.int(Int64(row) + 1)] + columns.map { .int(later[$0.name]![row]) } })
    let spec = "\(old!)"
    #expect(try names(workshop, at: spec) == ["k", "a", "b", "c"])
    #expect(try workshop.rows("t", at: spec) == [[.int(1), .int(10), .int(20), .int(30)], [.int(2), .int(11), .int(21), .int(31)]])
    // The upsert is taken back, then the renames.
    _ = try workshop.repository.revert("main")
    #expect(try workshop.rows("t") == expected)
    let differences = try workshop.repository.diff(spec, "main", withRows: false)
    #expect(differences.flatMap { [$0.diff.addedCount, $0.diff.removedCount, $0.diff.changedCount] }.allSatisfy { $0 == 0 })
    _ = try workshop.repository.revert("main~2")
    #expect(try names(workshop) == ["k", "a", "b", "c"])
    #expect(try workshop.rows("t") == [[.int(1), .int(10), .int(20), .int(30)], [.int(2), .int(11), .int(21), .int(31)]])
  }
}
