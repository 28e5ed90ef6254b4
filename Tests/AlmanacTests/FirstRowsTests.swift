import Almanac
import Columns
import Foundation
import Tables
import Testing

/// Datasets that have a contract and no rows yet, on one branch or on all.
@Suite struct FirstRowsTests {
  /// `t` under a contract with a column `b` and no rows.
  private static func empty() throws -> (Workshop, EvolvingContract) {
    let workshop = try Workshop()
    var contract = EvolvingContract([("b", "int64")])
    contract.keys = [.init(name: "k", type: "int64")]
    contract.settings = "leafRows: 16"
    try workshop.apply(contract)
    return (workshop, contract)
  }

  /// A column is the same one from its contract on, whenever its first rows come and on which side of a rename.
  @Test func aRenameBeforeTheFirstRowsCarriesOverToThem() throws {
    for way in ["merge", "pick", "both", "theirs renames", "twice"] {
      var (workshop, contract) = try Self.empty()
      let repository = workshop.repository
      try repository.createBranch("dev", at: nil)
      func rename(_ old: String, _ new: String) throws {
        contract.rename(old, to: new)
        try workshop.apply(contract)
      }
      if way == "theirs renames" {
        try workshop.upsert("k,b\n1,7\n")
        try repository.switchBranch(to: "dev")
        try rename("b", "a")
        try repository.switchBranch(to: "main")
      } else {
        try rename("b", "a")
        if way == "twice" { try rename("a", "c") }
        if way == "both" { try workshop.upsert("k,a\n2,8\n") }
        try workshop.commit("t", workshop.write("rows.csv", "k,b\n1,7\n"), .upsert, branch: "dev")
      }
      let report = try way == "pick" ? repository.cherryPick("dev") : repository.merge("dev")
      #expect(report.outcome == .merged, "\(way)")
      let name = way == "twice" ? "c" : "a"
      #expect(try ReturningColumnTests.rows(workshop) == (way == "both" ? ["1: a 7", "2: a 8"] : ["1: \(name) 7"]), "\(way)")
      try workshop.upsert("k,\(name)\n3,9\n")
      #expect(try ReturningColumnTests.rows(workshop).last == "3: \(name) 9")
      try ReturningColumnTests.expectWhole(workshop)
    }
  }

  @Test func aRenameBeforeTheFirstRowsIsReverted() throws {
    var (workshop, contract) = try Self.empty()
    contract.rename("b", to: "a")
    try workshop.apply(contract)
    let rename = try workshop.repository.resolve("main").description
    try workshop.upsert("k,a\n1,7\n2,8\n")
    #expect(try workshop.repository.revert(rename).outcome == .merged)
    #expect(try ReturningColumnTests.rows(workshop) == ["1: b 7", "2: b 8"])
    try ReturningColumnTests.expectWhole(workshop)
  }

  /// First rows that were reverted, a rename, and the revert taken back.
  @Test func aRenameBetweenFirstRowsThatGoAndComeBack() throws {
    var (workshop, contract) = try Self.empty()
    let repository = workshop.repository
    try workshop.upsert("k,b\n1,7\n")
    let gone = try repository.revert("main").commit.description
    contract.rename("b", to: "a")
    try workshop.apply(contract)
    #expect(try repository.revert(gone).outcome == .merged)
    #expect(try ReturningColumnTests.rows(workshop) == ["1: a 7"])
    try ReturningColumnTests.expectWhole(workshop)
  }

  /// Applies a contract to the current branch as it stands there.
  private static func apply(_ contract: EvolvingContract, to workshop: Workshop) throws {
    try? FileManager.default.removeItem(atPath: "\(workshop.repository.folder)/.almanac/applied.json")
    try workshop.apply(contract)
  }

  /// What a merge, revert or cherry-pick comes to does not follow from the contracts of its first parent: the name before is one
  /// that the column does not have there.
  @Test func aRenameThatTheContractHasForgottenCarriesOver() throws {
    for way in ["pick", "revert", "merge"] {
      var (workshop, contract) = try Self.empty()
      let repository = workshop.repository
      try repository.createBranch("old", at: nil)
      try repository.createBranch("dev", at: nil)
      var added = contract
      func rename(_ old: String, _ new: String) throws -> String {
        contract.rename(old, to: new)
        try Self.apply(contract, to: workshop)
        return try repository.resolve("HEAD").description
      }
      let first = try rename("b", "a")
      switch way {
      case "pick":
        _ = try rename("a", "b")
        #expect(try repository.cherryPick(first).outcome == .merged)
      case "revert": #expect(try repository.revert(rename("a", "c")).outcome == .merged)
      default:
        contract.columns[0].previousName = nil
        try Self.apply(contract, to: workshop)
        try repository.switchBranch(to: "dev")
        added.columns.append(.init(name: "x", type: "utf8"))
        try Self.apply(added, to: workshop)
        #expect(try repository.merge("main").outcome == .merged)
      }
      try workshop.commit("t", workshop.write("rows.csv", "k,b\n2,8\n"), .upsert, branch: "old")
      try workshop.upsert(way == "merge" ? "k,a,x\n1,7,\n" : "k,a\n1,7\n")
      #expect(try repository.merge("old").outcome == .merged, "\(way)")
      let isMerge = way == "merge"
      let rows = try ReturningColumnTests.rows(workshop, at: isMerge ? "dev" : "main")
      #expect(rows == (isMerge ? ["1: a 7, x null", "2: a 8, x null"] : ["1: a 7", "2: a 8"]), "\(way)")
      try ReturningColumnTests.expectWhole(workshop)
    }
  }

  /// Branches that were merged crosswise before there were rows: what they started from has the column under its identity.
  @Test func aRenameBeforeTheFirstRowsIsKnownToABaseOfSeveral() throws {
    var (workshop, contract) = try Self.empty()
    let repository = workshop.repository
    try repository.createBranch("dev", at: nil)
    var added = contract
    contract.rename("b", to: "a")
    try Self.apply(contract, to: workshop)
    contract.columns[0].previousName = nil
    try Self.apply(contract, to: workshop)
    let renamed = try repository.resolve("main").description
    try repository.switchBranch(to: "dev")
    added.columns.append(.init(name: "x", type: "utf8"))
    try Self.apply(added, to: workshop)
    let other = try repository.resolve("dev").description
    #expect(try repository.merge(renamed).outcome == .merged)
    contract.columns.append(.init(name: "x", type: "utf8"))
    contract.rename("a", to: "c")
    try Self.apply(contract, to: workshop)
    try repository.switchBranch(to: "main")
    #expect(try repository.merge(other).outcome == .merged)
    try workshop.upsert("k,a,x\n1,7,\n")
    let report = try repository.merge("dev")
    #expect(report.outcome == .merged && report.bases.count == 2)
    #expect(report.definitionConflicts.map(\.what) == [])
    #expect(try ReturningColumnTests.rows(workshop) == ["1: c 7, x null"])
    try ReturningColumnTests.expectWhole(workshop)
  }

  /// Both sides had their first rows, under columns of other widths: leaves of other sizes are no conflict.
  @Test func firstRowsOfBothSidesUnderOtherColumnsAreMerged() throws {
    for isSwapped in [false, true] {
      let workshop = try Workshop()
      let repository = workshop.repository
      var contract = EvolvingContract([("v", "int64")])
      contract.keys = [.init(name: "k", type: "int64")]
      contract.settings = "partition: none"
      try workshop.apply(contract)
      try repository.createBranch("dev", at: nil)
      try workshop.upsert("k,v\n1,1\n")
      try repository.switchBranch(to: "dev")
      contract.columns.append(.init(name: "x", type: "utf8"))
      try workshop.apply(contract)
      try workshop.upsert("k,v,x\n2,2,a\n")
      if !isSwapped { try repository.switchBranch(to: "main") }
      let sizes = try ["main", "dev"].map { try workshop.layout(at: $0).leafRowCount }
      #expect(sizes[0] > sizes[1])
      #expect(try repository.merge(isSwapped ? "main" : "dev").outcome == .merged)
      let head = isSwapped ? "dev" : "main"
      #expect(try ReturningColumnTests.rows(workshop, at: head) == ["1: v 1, x null", "2: v 2, x a"])
      #expect(try workshop.layout(at: head).leafRowCount == sizes[1])
      _ = try repository.seal()
      let other = try Workshop()
      try other.apply(contract)
      try other.upsert("k,v,x\n1,1,\n2,2,a\n")
      _ = try other.repository.seal()
      #expect(try workshop.root(at: head) == other.root())
      try ReturningColumnTests.expectWhole(workshop)
    }
  }
}
