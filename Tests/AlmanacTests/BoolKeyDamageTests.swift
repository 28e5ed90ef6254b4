import Almanac
import Columns
import Foundation
import History
import Tables
import Testing

/// A repository as programs left it that read columns of bits wrongly from parts of a column (scripts/make-damaged.sh): rows of a key with
/// a bool column out of order, twice, and under keys of other rows. `fsck` names all of it, and there is a way back.
@Suite struct BoolKeyDamageTests {
  /// A copy, as opening a repository may write to it.
  private func open(in workshop: Workshop) throws -> Repository {
    let copy = workshop.path("damaged")
    try FileManager.default.copyItem(atPath: Fixtures.path("damaged/bool-keys"), toPath: copy)
    try FileManager.default.moveItem(atPath: "\(copy)/store", toPath: "\(copy)/.almanac")
    return try Repository.open(at: copy)
  }

  private func damage(_ repository: Repository) throws -> [CheckReport.Problem] {
    try Repository.check(at: repository.folder).problems.filter { $0.severity == .damage }
  }

  /// The problems that touch a revision, without the ids of objects.
  private func damage(_ repository: Repository, at spec: String) throws -> [String] {
    let id = try repository.resolve(spec)
    return try damage(repository).filter { $0.touches.contains { $0.commit == id } }.map { problem in
      problem.detail.split(separator: " ").map { $0.count == 64 ? "ID" : String($0) }.joined(separator: " ")
    }
  }

  @Test func everyDamagedVersionIsNamed() throws {
    let workshop = try Workshop()
    let repository = try open(in: workshop)
    #expect(try damage(repository, at: "sound") == [])
    #expect(
      try damage(repository, at: "disorder") == [
        "its rows 10 and 11 are not in the order of the key: (true, 'k30') stands behind (true, 'k36')"
      ])
    #expect(
      try damage(repository, at: "twice") == [
        "its rows 10 and 11 are not in the order of the key: (true, 'k30') stands behind (true, 'k36')",
        "its rows 10 and 12 have one key: (true, 'k36')",
      ])
    let report = try damage(repository)
    #expect(report.allSatisfy { !$0.touches.isEmpty })
    #expect(try damage(repository, at: "tree").contains("the keys of its entry 3 do not ascend"))
    #expect(Set(report.flatMap(\.touches).map(\.dataset)) == ["x"])
  }

  /// What the rows are taken to be, and the rows as a dataset that never was damaged has them.
  private func wayBack(_ spec: String, thinning: (String) -> String? = { _ in nil }) throws {
    let workshop = try Workshop()
    let repository = try open(in: workshop)
    if spec != "tree" { try repository.archive.createBranch("work", at: repository.resolve(spec)) }
    let branch = spec == "tree" ? "main" : "work"
    let file = workshop.path("rows.csv")
    _ = try repository.checkout(branch, "x", to: file)
    var text = try String(contentsOfFile: file, encoding: .utf8)
    let rows = text.split(separator: "\n").dropFirst()
    if Set(rows.map { $0.split(separator: ",").prefix(2) }).count < rows.count {
      let error = #expect(throws: AlmanacError.self) {
        try repository.commit([CommitInput(dataset: "x", path: file)], mode: .replace, message: "m", branch: branch)
      }
      #expect(error?.description.hasPrefix("Cannot commit to x: 1 row of the input ") ?? false, "\(error?.description ?? "none")")
      // Of the two rows of a key the older one goes.
      text = text.replacingOccurrences(of: "true,k36,9\n", with: "")
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
    let report = try repository.commit([CommitInput(dataset: "x", path: file)], mode: .replace, message: "rows anew", branch: branch)
    let count = text.split(separator: "\n").count - 1
    #expect(report.datasets.map(\.rowCount) == [count])
    #expect(try damage(repository, at: branch) == [])
    #expect(try !damage(repository, at: spec == "tree" ? "tree" : spec).isEmpty, "the older commit stays as it is")

    // The same rows in one commit have the same root.
    try workshop.declare("schemas/x.yaml", String(contentsOfFile: "\(repository.folder)/schemas/x.yaml", encoding: .utf8))
    try workshop.apply()
    try workshop.commit("x", file)
    let (found, wanted) = try (
      repository.table("x", at: repository.resolve(branch)), workshop.repository.table("x", at: workshop.repository.resolve("main"))
    )
    #expect(found.rootID == wanted.rootID)
    #expect(try found.read().rows == wanted.read().rows)
    // And go on as they should.
    let more = try workshop.write("more.csv", "b,i,v\ntrue,k36,100\nfalse,zz,1\n")
    let next = try repository.commit([CommitInput(dataset: "x", path: more)], mode: .upsert, message: "go on", branch: branch)
    #expect(next.datasets.map { [$0.addedCount, $0.changedCount, $0.rowCount] } == [[1, 1, count + 1]])
    #expect(try damage(repository, at: branch) == [])
  }

  @Test(arguments: ["disorder", "twice", "tree"]) func rowsCheckedOutAndCommittedAnewAreSound(spec: String) throws { try wayBack(spec) }
}
