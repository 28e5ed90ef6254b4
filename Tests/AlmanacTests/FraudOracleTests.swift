import Almanac
import Columns
import History
import Testing

/// One row in, one row out, and never a value from the future: training sets over files of three engines against a brute-force
/// oracle.
@Suite struct FraudOracleTests {
  private let labels: Batch
  private let transactions: Batch
  private let oracle: FraudOracle

  init() throws {
    labels = try Fixtures.table("pyarrow/labels.parquet")
    transactions = try Fixtures.table("pyarrow/transactions.parquet")
    oracle = FraudOracle(transactions: transactions, profiles: try Fixtures.table("duckdb/user_profile.parquet"))
  }

  @Test func trainingSetsEqualTheOracle() throws {
    let workshop = try Workshop.fraudWithRows()
    let request = TrainingRequest(
      service: "fraud_v1", labels: Fixtures.path("pyarrow/labels.parquet"), output: workshop.path("training.parquet"))
    let training = try workshop.train(request)
    #expect(training.schema.fields.map(\.name) == labels.schema.fields.map(\.name) + FraudOracle.names)
    #expect(training.selecting(labels.schema.fields.map(\.name))?.rows == labels.rows, "the labels as they were, in their order")
    #expect(training["items_total"]?.type == .int64)
    #expect(training["age"]?.type == .int32)
    let differences = oracle.differences(training)
    #expect(differences.isEmpty, "\(differences.count) differences; \(differences.prefix(5))")

    var full = request
    full.fullNames = true
    full.output = workshop.path("full.parquet")
    let fullTraining = try workshop.train(full)
    let fullNames = zip(FraudOracle.views, FraudOracle.names).map { "\($0)__\($1)" }
    #expect(fullTraining.schema.fields.map(\.name) == labels.schema.fields.map(\.name) + fullNames)
    #expect(zip(fullTraining.rows, training.rows).allSatisfy { zip($0, $1).allSatisfy { $0.isSame(as: $1) } })
  }

  /// The oracle's own arithmetic, on sums whose values are known.
  @Test func exactSumsRoundOnce() {
    #expect(ExactSum().rounded == 0)
    #expect(ExactSum([1e16, 1, -1e16]).rounded == 1)
    #expect(ExactSum([1, 1e100, 1, -1e100]).rounded == 2)
    #expect(ExactSum([Double](repeating: 0.1, count: 10)).rounded == 1)
    #expect(ExactSum([9_007_199_254_740_992, 1]).rounded == 9_007_199_254_740_992, "a tie goes to even")
    #expect(ExactSum([9_007_199_254_740_992, 1, 1e-300]).rounded == 9_007_199_254_740_994)
    #expect(ExactSum([9_007_199_254_740_992, 1]).mean(of: 2) == 4_503_599_627_370_496, "4503599627370496.5 goes to even")
    #expect(ExactSum([9_007_199_254_740_992, 1, 1e-300]).mean(of: 2) == 4_503_599_627_370_497, "just above the tie")
    #expect(ExactSum([0.1, 0.1, 0.1]).mean(of: 3) == 0.1)
  }

  /// The fixture is only a test as long as it holds the cases that engines get wrong.
  @Test func theLabelsHoldTheHardCases() throws {
    let rows = labels.rows.map { (user: $0[0].int, merchant: $0[1].int, time: $0[2].micros!) }
    func count(_ isCase: ((user: Int64?, merchant: Int64?, time: Int64)) -> Bool) -> Int { rows.filter(isCase).count }
    func hasEvent(_ events: [FraudOracle.Transaction], at time: Int64) -> Bool { events.contains { $0.time == time } }

    #expect(Set(labels.rows).count <= rows.count - 90, "duplicate rows")
    #expect(count { $0.time < 0 } >= 60, "before 1970")
    #expect(
      count { label in
        let events = oracle.events(ofUser: label.user)
        return !events.isEmpty && events.allSatisfy { $0.time > label.time }
      } >= 40, "before the first event of a known user")
    for (offset, what) in [
      (0, "at the time of an event"), (FraudOracle.ttl, "exactly a ttl after an event"), (7 * FraudOracle.day, "exactly 7 d after"),
      (FraudOracle.day, "exactly 24 h after"), (-1, "a microsecond before"), (1, "a microsecond after"),
      (FraudOracle.ttl + 1, "a microsecond past the ttl"), (FraudOracle.ttl - 1, "a microsecond within the ttl"),
    ] {
      #expect(count { label in hasEvent(oracle.events(ofUser: label.user), at: label.time - offset) } >= 55, "\(what)")
    }
    #expect(count { hasEvent(oracle.events(ofMerchant: $0.merchant), at: $0.time - FraudOracle.hour) } >= 55, "exactly 1 h after")
    #expect(
      count { label in
        guard let newest = oracle.newest(ofUser: label.user, at: label.time) else { return false }
        return oracle.events(ofUser: label.user).filter { $0.time == newest.time }.count > 1
      } > 0, "two newest events at one time")
    #expect(count { $0.user == nil && $0.merchant != nil } >= 30, "null user")
    #expect(count { $0.user != nil && $0.merchant == nil } >= 30, "null merchant")
    #expect(count { $0.user == nil && $0.merchant == nil } >= 5, "both null")
    #expect(count { $0.user != nil && oracle.events(ofUser: $0.user).isEmpty } >= 40, "user never seen")
    #expect(count { $0.merchant != nil && oracle.events(ofMerchant: $0.merchant).isEmpty } >= 40, "merchant never seen")
  }

  /// Labels of the test's own: the ttl ends right at the newest event, and the newest event is one of several at one time.
  @Test func edgesOfTheNewestEvent() throws {
    let workshop = try Workshop.fraudWithRows()
    var users: [Scalar] = []
    var times: [Scalar] = []
    for (user, events) in oracle.byUser.sorted(by: { $0.key < $1.key }) {
      let last = events.map(\.time).max()!
      for time in [last, last + FraudOracle.ttl, last + FraudOracle.ttl + 1] {
        users.append(.int(user))
        times.append(.timestamp(time, .microsecond))
      }
    }
    var tieCount = 0
    for (user, events) in oracle.byUser.sorted(by: { $0.key < $1.key }) {
      for (time, tied) in Dictionary(grouping: events, by: \.time).sorted(by: { $0.key < $1.key }) where tied.count > 1 {
        users.append(.int(user))
        times.append(.timestamp(time, .microsecond))
        tieCount += 1
      }
    }
    #expect(tieCount >= 100)
    let schema = Schema([Field("user_id", .int64), Field("merchant_id", .int64), Field("event_timestamp", .timestampMicros)])
    let merchants = Column(.int64, repeating: .int(1003), count: users.count)
    let own = Batch(
      schema: schema, columns: [Column(.int64, users), merchants, Column(.timestampMicros, times)], rowCount: users.count)
    let training = try workshop.train(
      TrainingRequest(service: "fraud_v1", labels: workshop.write("own.parquet", own), output: workshop.path("edges.parquet")))
    let differences = oracle.differences(training)
    #expect(differences.isEmpty, "\(differences.count) differences; \(differences.prefix(5))")
    let amounts = training["last_amount"]!.scalars
    for row in stride(from: 0, to: oracle.byUser.count * 3, by: 3) {
      #expect(amounts[row + 1].isSame(as: amounts[row]) && amounts[row] != .null, "the ttl is inclusive")
      #expect(amounts[row + 2] == .null, "and ends there")
    }
  }

  @Test(arguments: ["labels.csv", "labels.jsonl"]) func textLabelsGiveTheSameValues(name: String) throws {
    let workshop = try Workshop.fraudWithRows()
    let report = try Conversion.run(from: Fixtures.path("pyarrow/labels.parquet"), to: workshop.path(name))
    #expect(report.rowCount == labels.rowCount)
    let training = try workshop.train(
      TrainingRequest(service: "fraud_v1", labels: workshop.path(name), output: workshop.path("training.parquet")))
    #expect(training.selecting(labels.schema.fields.map(\.name))?.rows == labels.rows)
    let differences = oracle.differences(training)
    #expect(differences.isEmpty, "\(differences.count) differences; \(differences.prefix(5))")
  }

  /// `--ref` and `--at` train on what was known then.
  @Test func earlierCommitsGiveTheirOwnFeatures() throws {
    let workshop = try Workshop.fraud()
    let half = transactions.rowCount / 2
    let first = transactions.slice(from: 0, count: half)
    try workshop.commit("user_profile", Fixtures.path("duckdb/user_profile.parquet"))
    try workshop.commit("transactions", workshop.write("first.parquet", first))
    try workshop.commit("transactions", workshop.write("second.parquet", transactions.slice(from: half, count: half)))
    let moves = try workshop.repository.archive.reflog("main")
    let early = FraudOracle(transactions: first, profiles: try Fixtures.table("duckdb/user_profile.parquet"))

    var request = TrainingRequest(
      service: "fraud_v1", labels: Fixtures.path("pyarrow/labels.parquet"), output: workshop.path("training.parquet"))
    let now = try workshop.train(request)
    #expect(oracle.differences(now).isEmpty)
    #expect(!early.differences(now).isEmpty)
    request.ref = "main~1"
    #expect(early.differences(try workshop.train(request)).isEmpty)
    request.ref = nil
    // One microsecond before the last move.
    request.at = CivilTime.formatTimestampMicros(moves.last!.timeMicros - 1)
    #expect(early.differences(try workshop.train(request)).isEmpty)
    request.at = CivilTime.formatTimestampMicros(moves.last!.timeMicros)
    #expect(oracle.differences(try workshop.train(request)).isEmpty)
    request.at = CivilTime.formatTimestampMicros(moves.first!.timeMicros - 1)
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.train(request) }
    #expect(error?.kind == .notFound)
  }

  @Test func aRecipeRunTwiceGivesIdenticalBytes() throws {
    let workshop = try Workshop.fraudWithRows()
    var request = TrainingRequest(
      service: "fraud_v1", labels: Fixtures.path("pyarrow/labels.parquet"), output: workshop.path("a.parquet"), save: "training_v1")
    let first = try workshop.repository.train(request)
    request.output = workshop.path("b.parquet")
    let second = try workshop.repository.train(request)
    #expect(first.recipe == second.recipe)
    #expect(first.savedCommit != nil)
    #expect(second.savedCommit == nil, "the same rows are not committed again")
    #expect(try FileBytes.of(workshop.path("a.parquet")) == FileBytes.of(workshop.path("b.parquet")))
    let saved = try workshop.rows("training_v1")
    let training = try TableFile(path: workshop.path("a.parquet")).readAll().rows
    #expect(saved.map { Array($0.dropFirst()) } == training)
    #expect(saved.map { $0[0].int } == (0..<training.count).map { Int64($0) })
  }
}
