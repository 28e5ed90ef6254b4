import Columns
import Foundation
import JSON
import Synchronization
import Tables
import Testing

@testable import Almanac
@testable import History

/// Branches that were merged crosswise: what their common ancestors disagree about is neither side's.
@Suite struct CrissCrossTests {
  /// `t` with keys 1 to 5, and the branches main and b, which `change` has taken apart.
  private final class Crossing {
    let workshop: Workshop
    var repository: Repository { workshop.repository }
    var contract = EvolvingContract([("price", "int64"), ("stock", "int64"), ("note", "utf8")])

    init(_ change: (Crossing) throws -> Void) throws {
      workshop = try Workshop()
      contract.keys = [.init(name: "id", type: "int64")]
      contract.settings = "evolution: backward"
      try workshop.apply(contract)
      try upsert("id,price,stock,note\n1,10,100,x\n2,20,200,y\n3,30,300,z\n4,40,400,\n5,50,500,\n", on: "main")
      try repository.createBranch("b", at: nil)
      try change(self)
    }

    func upsert(_ csv: String, on branch: String, _ mode: ChangeMode = .upsert) throws {
      try workshop.commit("t", workshop.write("rows.csv", csv), mode, branch: branch)
    }

    func apply(on branch: String, _ change: (inout EvolvingContract) -> Void) throws {
      try repository.switchBranch(to: branch)
      var contract = contract
      change(&contract)
      try workshop.apply(contract)
    }

    /// Each branch takes what the other was.
    func cross(_ main: MergeStrategy = .fail, _ b: MergeStrategy = .fail) throws {
      let tips = try ["main", "b"].map { try repository.resolve($0).description }
      #expect(try repository.merge(tips[1], into: "main", strategy: main, fastForward: false).outcome == .merged)
      #expect(try repository.merge(tips[0], into: "b", strategy: b, fastForward: false).outcome == .merged)
    }

    func rows(_ branch: String = "main") throws -> [Int64: [Scalar]] {
      let rows = try workshop.rows("t", at: branch)
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].int ?? 0, Array($0.dropFirst())) })
    }
  }

  private static func price(_ values: RowDiff.Values?) -> Int64? { values?.first { $0.name == "price" }?.value.int }

  @Test func sidesThatSettledAConflictDifferentlyConflict() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,12,100,x\n", on: "b")
    }
    let repository = crossing.repository
    let bases = try ["b", "main"].map { try repository.resolve($0) }
    try crossing.cross(.ours, .ours)
    // More, which does not conflict.
    try crossing.upsert("id,price,stock,note\n1,11,101,x\n2,21,200,y\n", on: "main")
    try crossing.upsert("id,price,stock,note\n2,20,202,y\n", on: "b")
    let before = try crossing.workshop.state()
    for (ours, theirs) in [("main", "b"), ("b", "main")] {
      let report = try repository.merge(theirs, into: ours)
      #expect(report.outcome == .conflict)
      #expect(report.bases == bases)
      #expect(report.json["bases"] == .array(bases.map { .string($0.description) }))
      #expect(report.rowConflicts.map { $0.row.key.map(\.value) } == [[.int(1)]])
      let conflict = report.rowConflicts[0].row
      #expect(conflict.kind == .update)
      #expect(conflict.columns == ["price"])
      #expect(conflict.base?.map(\.name) == ["id", "stock", "note"], "what is disputed is not in the base")
      #expect(Self.price(conflict.first) == (ours == "main" ? 11 : 12))
      #expect(Self.price(conflict.second) == (ours == "main" ? 12 : 11))
    }
    #expect(try crossing.workshop.state() == before)
    for (strategy, price) in [(MergeStrategy.ours, 11), (.theirs, 12)] as [(MergeStrategy, Int64)] {
      let branch = strategy.rawValue
      try repository.createBranch(branch, at: "main")
      #expect(try repository.merge("b", into: branch, strategy: strategy).outcome == .merged)
      let rows = try crossing.rows(branch)
      #expect(rows[1] == [.int(price), .int(101), .string("x")])
      #expect(rows[2] == [.int(21), .int(202), .string("y")])
    }
  }

  @Test func sidesThatSettledAConflictAlikeAgree() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,12,100,x\n3,31,300,z\n", on: "b")
    }
    try crossing.cross(.ours, .theirs)
    #expect(try crossing.rows("main") == crossing.rows("b"))
    try crossing.upsert("id,price,stock,note\n1,11,100,new\n", on: "main")
    try crossing.upsert("id,price,stock,note\n4,41,400,\n", on: "b")
    #expect(try crossing.repository.merge("b").outcome == .merged)
    #expect(try crossing.rows()[1] == [.int(11), .int(100), .string("new")])
    #expect(try crossing.rows()[4] == [.int(41), .int(400), .null])
  }

  /// What only one of the ancestors had is no conflict, and what was taken back after a crossing stays away.
  @Test func whatTheAncestorsDoNotDisputeMergesAsAlways() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n6,60,600,new\n", on: "main")
      try crossing.upsert("id,price,stock,note\n2,22,200,y\n", on: "b")
      try crossing.upsert("id\n5\n", on: "b", .delete)
    }
    try crossing.cross()
    #expect(try crossing.rows("main") == crossing.rows("b"))
    // Back to what the latest ancestor, alone, would take for unchanged.
    try crossing.upsert("id,price,stock,note\n1,10,100,x\n2,20,200,y\n5,50,500,\n", on: "main")
    try crossing.upsert("id\n6\n", on: "main", .delete)
    try crossing.upsert("id,price,stock,note\n1,11,111,x\n", on: "b")
    #expect(try crossing.repository.merge("b").outcome == .merged)
    let rows = try crossing.rows()
    #expect(rows[1] == [.int(10), .int(111), .string("x")])
    #expect(rows[2] == [.int(20), .int(200), .string("y")])
    #expect(rows.keys.sorted() == [1, 2, 3, 4, 5])
  }

  @Test func aRowThatOneAncestorRemovedAndTheOtherChangedIsDisputed() throws {
    let crossing = try Crossing { crossing in
      for key in [1, 2, 3] { try crossing.upsert("id\n\(key)\n", on: "main", .delete) }
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n2,22,200,y\n3,33,300,z\n", on: "b")
    }
    try crossing.cross(.ours, .ours)
    // 1: gone on main. 2: both have it, with one value of what b changed. 3: both have it, with two.
    try crossing.upsert("id,price,stock,note\n2,22,222,y\n3,34,300,z\n", on: "main")
    let report = try crossing.repository.merge("b")
    #expect(
      report.rowConflicts.map { "\($0.row.kind) \($0.row.key[0].value.text) \($0.row.columns)" } == [
        "delete 1 [\"price\"]", "update 3 [\"price\"]",
      ])
    #expect(report.rowConflicts[0].row.first == nil)
    #expect(Self.price(report.rowConflicts[0].row.second) == 11)
    #expect(try crossing.repository.merge("b", strategy: .ours).outcome == .merged)
    let rows = try crossing.rows()
    #expect(rows.keys.sorted() == [2, 3, 4, 5])
    #expect(rows[2] == [.int(22), .int(222), .string("y")])
    #expect(rows[3] == [.int(34), .int(300), .string("z")])
  }

  /// Three ancestors, no two of which agree; and a third version that goes back to what there was at first.
  @Test func moreThanTwoAncestorsArePutTogether() throws {
    let crossing = try Crossing { crossing in
      try crossing.repository.createBranch("c", at: "main")
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,12,100,x\n2,22,200,y\n", on: "b")
      try crossing.upsert("id,price,stock,note\n1,13,100,x\n3,33,300,z\n", on: "c")
    }
    let repository = crossing.repository
    let tips = try ["c", "b", "main"].map { try repository.resolve($0) }
    for (branch, order) in [("left", [2, 1, 0]), ("right", [0, 2, 1])] {
      try repository.createBranch(branch, at: tips[order[0]].description)
      for next in order.dropFirst() {
        #expect(try repository.merge(tips[next].description, into: branch, strategy: .ours).outcome == .merged)
      }
    }
    let report = try repository.merge("right", into: "left")
    #expect(report.bases == tips)
    #expect(report.rowConflicts.map { [Self.price($0.row.first), Self.price($0.row.second)] } == [[11, 13]])
    #expect(try repository.merge("right", into: "left", strategy: .theirs).outcome == .merged)
    let rows = try crossing.rows("left")
    #expect([1, 2, 3].map { rows[$0]?.first } == [.int(13), .int(22), .int(33)])
  }

  /// Crossed again and again, each level in dispute: the bases of bases are computed once each, and nothing stays in memory.
  @Test func chainsOfCrossingsAreFollowedToTheirStart() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,12,100,x\n", on: "b")
    }
    for level in 0..<8 {
      try crossing.cross(.ours, .ours)
      try crossing.upsert("id,price,stock,note\n2,\(level + 1000),200,y\n", on: "main")
      try crossing.upsert("id,price,stock,note\n3,30,\(level + 1000),z\n", on: "b")
    }
    let report = try crossing.repository.merge("b")
    #expect(report.bases.count == 2)
    #expect(report.rowConflicts.map { [Self.price($0.row.first), Self.price($0.row.second)] } == [[11, 12]])
    #expect(crossing.repository.archive.held.withLock { $0.isEmpty })
    #expect(try crossing.repository.merge("b", strategy: .theirs).outcome == .merged)
    let rows = try crossing.rows()
    #expect(rows[1]?.first == .int(12) && rows[2]?.first == .int(1007) && rows[3]?[1] == .int(1007))
  }

  /// A base that is put together leaves nothing behind.
  @Test func basesAreNotWritten() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n2,21,200,y\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,12,100,x\n3,31,300,z\n", on: "b")
    }
    try crossing.cross(.ours, .ours)
    func files() -> [String] {
      (FileManager.default.enumerator(atPath: "\(crossing.repository.folder)/.almanac")?.allObjects ?? []).map { "\($0)" }
        .filter { !$0.hasPrefix("catalog") }.sorted()
    }
    let before = files()
    #expect(try crossing.repository.merge("b").outcome == .conflict)
    #expect(files() == before)
  }

  // MARK: Definitions

  @Test func definitionsThatWereSettledDifferentlyConflict() throws {
    func features(_ window: String) -> String {
      """
      entities:
      - {name: e, keys: [{name: id, type: int64}]}
      feature_views:
      - {name: w, entity: e, source: t, features: [{name: f, expr: "\(window)"}]}

      """
    }
    let crossing = try Crossing { _ in }
    let workshop = crossing.workshop
    func declare(_ text: String, on branch: String) throws {
      try crossing.repository.switchBranch(to: branch)
      try workshop.declare("features/f.yaml", features(text))
      try workshop.apply()
    }
    try declare("price + 1", on: "main")
    try declare("price + 2", on: "b")
    try crossing.cross(.ours, .ours)
    let report = try crossing.repository.merge("b", into: "main")
    #expect(report.definitionConflicts.map(\.object) == ["feature view w"])
    #expect(report.definitionConflicts[0].base == nil)
    #expect(report.definitionConflicts[0].first?.contains("price + 1") == true)
    #expect(report.definitionConflicts[0].second?.contains("price + 2") == true)
    try crossing.repository.createBranch("mirror", at: "main")
    #expect(try crossing.repository.merge("b", into: "mirror", strategy: .theirs).outcome == .merged)
    let views = try crossing.repository.definitions(at: crossing.repository.resolve("mirror")).features.json.text()
    #expect(views.contains("price + 2") && !views.contains("price + 1"))
    // Changed to the same on both sides they agree.
    for branch in ["main", "b"] { try declare("price + 3", on: branch) }
    #expect(try crossing.repository.merge("main", into: "b").outcome == .merged)
  }

  @Test func partsOfContractsThatWereSettledDifferentlyConflict() throws {
    func rule(_ minimum: Int, note: String = "utf8") -> String {
      var contract = EvolvingContract([("price", "int64"), ("stock", "int64"), ("note", note)])
      contract.keys = [.init(name: "id", type: "int64")]
      contract.settings = "evolution: backward"
      return contract.yaml.replacing(
        "{name: price, physicalType: int64}", with: "{name: price, physicalType: int64, logicalTypeOptions: {minimum: \(minimum)}}")
    }
    let crossing = try Crossing { _ in }
    for (branch, minimum) in [("main", 1), ("b", 2)] {
      try crossing.repository.switchBranch(to: branch)
      try crossing.workshop.declare("schemas/t.yaml", rule(minimum))
      try crossing.workshop.apply()
    }
    try crossing.cross(.ours, .ours)
    // Rows of both sides are no conflict.
    try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "main")
    try crossing.upsert("id,price,stock,note\n2,22,200,y\n", on: "b")
    for (ours, theirs) in [("main", "b"), ("b", "main")] {
      let report = try crossing.repository.merge(theirs, into: ours)
      #expect(report.rowConflicts.isEmpty)
      #expect(report.definitionConflicts.map { "\($0.object), \($0.what ?? "")" } == [#"dataset t, rule minimum ["price"] 1"#])
      #expect(report.definitionConflicts[0].first?.contains(ours == "main" ? "1" : "2") == true)
    }
    #expect(try crossing.repository.merge("main", into: "b", strategy: .theirs).outcome == .merged)
    let contract = try crossing.repository.definitions(at: crossing.repository.resolve("b")).contracts["t"]
    #expect(contract?.rules.map(\.text) == ["t.price minimum 1"])
    #expect(try crossing.rows("b")[1]?.first == .int(11) && crossing.rows("b")[2]?.first == .int(22))
  }

  @Test func namesOfColumnsThatWereSettledDifferentlyConflict() throws {
    let crossing = try Crossing { crossing in
      try crossing.apply(on: "main") { $0.rename("price", to: "cost") }
      try crossing.apply(on: "b") { $0.rename("price", to: "amount") }
    }
    try crossing.cross(.ours, .ours)
    let report = try crossing.repository.merge("b", into: "main")
    #expect(report.definitionConflicts.contains { $0.what == "name of column cost" && $0.first == "cost" && $0.second == "amount" })
    #expect(report.rowConflicts.isEmpty)
    try crossing.repository.createBranch("mirror", at: "main")
    #expect(try crossing.repository.merge("b", into: "mirror", strategy: .theirs).outcome == .merged)
    #expect(try crossing.workshop.layout(at: "mirror").schema.fields.map(\.name) == ["id", "amount", "stock", "note"])
    #expect(try crossing.repository.merge("b", into: "main", strategy: .ours).outcome == .merged)
    #expect(try crossing.workshop.layout(at: "main").schema.fields.map(\.name) == ["id", "cost", "stock", "note"])
    #expect(try crossing.rows()[1] == [.int(10), .int(100), .string("x")])
  }

  @Test func aColumnThatOneAncestorDroppedAndTheOtherEditedIsDisputed() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,10,100,edited\n", on: "main")
      try crossing.apply(on: "b") { $0.drop("note") }
    }
    try crossing.cross(.ours, .ours)
    #expect(try crossing.workshop.layout(at: "main").schema.fields.map(\.name) == ["id", "price", "stock", "note"])
    #expect(try crossing.workshop.layout(at: "b").schema.fields.map(\.name) == ["id", "price", "stock"])
    for (ours, theirs) in [("main", "b"), ("b", "main")] {
      let report = try crossing.repository.merge(theirs, into: ours)
      #expect(report.outcome == .conflict)
      #expect(report.definitionConflicts.contains { $0.what == "column note, which one side has and the other has not" })
      try crossing.repository.createBranch("\(ours)-ours", at: ours)
      #expect(try crossing.repository.merge(theirs, into: "\(ours)-ours", strategy: .ours).outcome == .merged)
      #expect(
        try crossing.workshop.layout(at: "\(ours)-ours").schema.fields.map(\.name)
          == crossing.workshop.layout(at: ours).schema.fields.map(\.name))
      #expect(try crossing.rows("\(ours)-ours") == crossing.rows(ours))
    }
  }

  /// One ancestor has no such dataset any more, the other has changed it.
  @Test func aDatasetThatOneAncestorRemovedIsDisputed() throws {
    func remove(_ crossing: Crossing) throws {
      // Without its rows and its contract.
      try crossing.repository.switchBranch(to: "main")
      _ = try crossing.repository.revert("main")
      try FileManager.default.removeItem(atPath: "\(crossing.repository.folder)/schemas/t.yaml")
      _ = try crossing.repository.apply(plan: false, prune: true)
    }
    let crossing = try Crossing { crossing in
      try remove(crossing)
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "b")
    }
    try crossing.cross(.ours, .ours)
    let report = try crossing.repository.merge("b", into: "main")
    #expect(report.outcome == .conflict)
    #expect(report.definitionConflicts.map(\.what) == ["removed on one side, changed on the other"])
    // Where both have kept it, only what the other ancestor changed is disputed.
    let kept = try Crossing { crossing in
      try remove(crossing)
      try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "b")
    }
    try kept.cross(.theirs, .ours)
    try kept.upsert("id,price,stock,note\n1,12,100,x\n2,20,222,y\n", on: "main")
    try kept.upsert("id,price,stock,note\n2,20,200,new\n", on: "b")
    let second = try kept.repository.merge("b", into: "main")
    #expect(second.definitionConflicts.isEmpty)
    #expect(second.rowConflicts.map { [Self.price($0.row.first), Self.price($0.row.second)] } == [[12, 11]])
  }

  // MARK: The gate, and versions without rows

  /// A conflict that is settled leaves a row that was never checked under the merged contract.
  @Test func settledRowsPassTheMergedContract() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n1,700,100,x\n", on: "main")
      try crossing.upsert("id,price,stock,note\n1,50,100,x\n", on: "b")
      try crossing.repository.switchBranch(to: "b")
      let bounded = "{name: price, physicalType: int64, logicalTypeOptions: {maximum: 100}}"
      try crossing.workshop.declare("schemas/t.yaml", crossing.contract.yaml.replacing("{name: price, physicalType: int64}", with: bounded))
      try crossing.workshop.apply()
    }
    let error = #expect(throws: AlmanacError.self) { try crossing.repository.merge("b", into: "main", strategy: .ours) }
    #expect(error?.description.contains("t.price maximum 100: 1 of") == true, "\(error?.description ?? "")")
    #expect(try crossing.repository.merge("b", into: "main", strategy: .theirs).outcome == .merged)
  }

  /// Reverting the first rows of a dataset removes these and leaves what came later; what was changed since is a conflict.
  @Test func aRevertOfTheFirstRowsRemovesThem() throws {
    let crossing = try Crossing { crossing in
      try crossing.upsert("id,price,stock,note\n6,60,600,later\n", on: "main")
    }
    try crossing.repository.switchBranch(to: "main")
    #expect(try crossing.repository.revert("main~1").outcome == .merged)
    #expect(try crossing.rows() == [6: [.int(60), .int(600), .string("later")]])
    try crossing.repository.switchBranch(to: "b")
    let first = try crossing.repository.resolve("b").description
    try crossing.upsert("id,price,stock,note\n1,11,100,x\n", on: "b")
    let report = try crossing.repository.revert(first)
    #expect(report.rowConflicts.map { "\($0.row.kind) \($0.row.key[0].value.text)" } == ["delete 1"])
    #expect(report.definitionConflicts.isEmpty)
    #expect(try crossing.repository.revert(first, strategy: .theirs).outcome == .merged)
    #expect(try crossing.rows("b") == [:])
  }
}
