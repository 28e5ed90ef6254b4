import Testing

@testable import Almanac

/// Rows whose key columns have other names or widths at other commits.
@Suite struct BlameKeyTests {
  @Test func aKeyIsFollowedThroughRenamesWideningsAndMerges() throws {
    let workshop = try Workshop()
    let repository = workshop.repository
    var contract = EvolvingContract([("v", "int64")])
    contract.keys = [.init(name: "k", type: "int32")]
    contract.settings = ""
    try workshop.apply(contract)
    try workshop.commit("t", workshop.write("1.csv", "k,v\n1,1\n"))
    let first = try repository.resolve("main")
    try repository.createBranch("side", at: nil)
    contract.keys = [.init(name: "key", type: "int64", previousName: "k")]
    try workshop.apply(contract)
    try workshop.commit("t", workshop.write("2.csv", "key,v\n9000000000,2\n"))
    let wide = try repository.resolve("main")
    try repository.switchBranch(to: "side")
    try workshop.commit("t", workshop.write("3.csv", "k,v\n7,7\n"))
    let side = try repository.resolve("side")
    #expect(try repository.merge("main").outcome == .merged)
    func commits(_ key: String, _ value: String, at spec: String? = nil) throws -> Set<String> {
      Set(try repository.blame("t", key: [(key, value)], at: spec).lines.map(\.commit.description))
    }
    for at in [nil, "HEAD"] {
      #expect(try commits("key", "1", at: at) == [first.description])
      #expect(try commits("key", "7", at: at) == [side.description])
      #expect(try commits("key", "9000000000", at: at) == [wide.description])
    }
    #expect(try commits("k", "1", at: first.description) == [first.description])
    let error = #expect(throws: AlmanacError.self) { try commits("k", "1") }
    #expect(error?.description == "k is not a key column of t")
    // A row that is gone is found under the name that the key has now.
    _ = try repository.commit(
      [CommitInput(dataset: "t", path: workshop.write("4.csv", "key\n1\n"))], mode: .delete, message: "gone")
    let report = try repository.blame("t", key: [("key", "1")])
    #expect(report.removedBy == (try repository.resolve("side")))
    #expect(Set(report.lines.map(\.commit)) == [first])
  }
}
