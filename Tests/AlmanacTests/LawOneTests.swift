import Almanac
import Columns
import Testing

/// Same rows, same id: whichever engine wrote them, in whatever order and batches they came.
@Suite struct LawOneTests {
  private func root(_ workshop: Workshop) throws -> String {
    try #require(try workshop.repository.log().first?.commit.datasets["transactions"]?.root.description)
  }

  @Test func filesOfAllEnginesHaveOneRoot() throws {
    var roots: [String] = []
    for file in Fixtures.transactionFiles {
      let workshop = try Workshop.fraud()
      let report = try workshop.commit("transactions", Fixtures.path(file))
      #expect(report.datasets.first?.rowCount == 20_000)
      roots.append(try root(workshop))
    }
    #expect(Set(roots).count == 1, "\(zip(Fixtures.transactionFiles, roots).map { "\($0): \($1)" })")
  }

  @Test func shuffledBatchesHaveTheRootOfTheWhole() throws {
    let whole = try Workshop.fraud()
    try whole.commit("transactions", Fixtures.path("pyarrow/transactions.parquet"))
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let rows = try Fixtures.table("pyarrow/transactions.parquet")
    let order = (0..<Int32(rows.rowCount)).shuffled(using: &random)
    let cuts = [0, Int.random(in: 1..<9_000, using: &random), Int.random(in: 9_000..<rows.rowCount, using: &random), rows.rowCount]
    let batches = try Workshop.fraud()
    for index in 0..<3 {
      let part = rows.take(Array(order[cuts[index]..<cuts[index + 1]]))
      try batches.commit("transactions", batches.write("part-\(index).\(["parquet", "csv", "jsonl"][index])", part))
    }
    #expect(try root(batches) == root(whole), "seed \(seed)")
  }

  /// Checked out and committed again, through each format: the same version.
  @Test(arguments: ["parquet", "csv", "jsonl"]) func checkoutsCommitToTheSameRoot(format: String) throws {
    let whole = try Workshop.fraud()
    try whole.commit("transactions", Fixtures.path("duckdb/transactions.parquet"))
    let file = whole.path("out.\(format)")
    #expect(try whole.repository.checkout("main", "transactions", to: file) == 20_000)
    let again = try Workshop.fraud()
    try again.commit("transactions", file)
    #expect(try root(again) == root(whole))
  }
}

/// Sebastiano Vigna's SplitMix64: a seed gives the same run everywhere.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
