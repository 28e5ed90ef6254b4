import Almanac
import Columns
import JSON
import Testing

/// Online(t) = offline(t): what is served at a label's time is the training set's row, bit for bit.
@Suite struct OnlineEqualsOfflineTests {
  private let workshop: Workshop
  private let training: Batch
  /// No image is asked for what it does not know from here on; before, the answer comes from the leaves.
  private let newestEvent: Int64

  init() throws {
    workshop = try Workshop.fraudWithRows()
    training = try workshop.train(
      TrainingRequest(
        service: "fraud_v1", labels: Fixtures.path("pyarrow/labels.parquet"), output: workshop.path("training.parquet")))
    let sources = ["pyarrow/transactions.parquet", "duckdb/user_profile.parquet", "polars/merchant_stats.parquet"]
    newestEvent = try sources.flatMap { try Fixtures.table($0)["event_timestamp"]!.scalars }.compactMap(\.micros).max()!
  }

  /// The served features of a row's entity at the row's time, by name.
  private func served(_ row: Int, by service: OnlineService) throws -> [String: JSON] {
    let time = CivilTime.formatTimestampMicros(training["event_timestamp"]!.scalar(at: row).micros!)
    func key(_ name: String) -> JSON { training[name]!.scalar(at: row).int.map { .int($0) } ?? .null }
    let body: JSON = [
      "feature_service": "fraud_v1", "at": .string(time),
      "entities": ["user_id": [key("user_id")], "merchant_id": [key("merchant_id")]],
    ]
    let answer = body.canonicalBytes.withUnsafeBytes { service.answer($0) }
    #expect(answer.status == 200, "row \(row): \(String(decoding: answer.body, as: UTF8.self))")
    let json = try JSON(parsing: answer.body)
    #expect(json["metadata"]?["commit"]?.stringValue == service.commitText)
    let names = try #require(json["metadata"]?["feature_names"]?.arrayValue).compactMap(\.stringValue)
    let values = try #require(json["results"]?.arrayValue).compactMap { $0["values"]?.arrayValue?.first }
    #expect(names.count == values.count)
    return Dictionary(uniqueKeysWithValues: zip(names, values))
  }

  private func differences(_ rows: [Int], by service: OnlineService) throws -> [String] {
    var differences: [String] = []
    for row in rows {
      let found = try served(row, by: service)
      for name in FraudOracle.names {
        let wanted = training[name]!.scalar(at: row)
        if found[name]?.isSame(as: wanted) != true {
          differences.append("row \(row): \(name) is \(found[name]?.text() ?? "missing"), in the training set \(wanted)")
        }
      }
    }
    return differences
  }

  @Test func imagesAndLeavesServeTheTrainingSetsRows() throws {
    let report = try workshop.repository.materialize()
    #expect((report.number, report.builtCount, report.reusedCount) == (1, 4, 0))
    let service = try OnlineService(repository: workshop.repository)
    let times = training["event_timestamp"]!.scalars.map { $0.micros! }
    let later = training.rows.indices.filter { times[$0] >= newestEvent }
    let earlier = training.rows.indices.filter { times[$0] < newestEvent }
    #expect(later.count >= 30, "labels that images answer")
    var found = try differences(Array(later.prefix(250)), by: service)
    #expect(found.isEmpty, "from images: \(found.count) differences; \(found.prefix(5))")
    // Evenly from all cases: the fixture's labels are in random order.
    found = try differences(Array(earlier.prefix(250)), by: service)
    #expect(found.isEmpty, "from leaves: \(found.count) differences; \(found.prefix(5))")
  }

  /// One request of many entities answers as many of one do.
  @Test func manyEntitiesInOneRequest() throws {
    _ = try workshop.repository.materialize()
    let service = try OnlineService(repository: workshop.repository)
    let users = try Fixtures.table("pyarrow/transactions.parquet")["user_id"]!.scalars.compactMap(\.int).prefix(60)
    func ask(_ users: [Int64]) throws -> [[JSON]] {
      let body: JSON = [
        "features": ["user_spend:spend_30d", "user_spend:last_category", "user_profile:country"], "at": "2026-05-03T00:00:00Z",
        "entities": ["user_id": .array(users.map { .int($0) })],
      ]
      let json = try JSON(parsing: service.answer(body))
      return try #require(json["results"]?.arrayValue).map { ($0["values"]?.arrayValue ?? []) }
    }
    let together = try ask(Array(users))
    for (index, user) in users.enumerated() {
      #expect(try ask([user]).map { $0[0] } == together.map { $0[index] })
    }
  }

  @Test func rollbackServesTheGenerationBefore() throws {
    let repository = workshop.repository
    let first = try repository.materialize()
    let service = try OnlineService(repository: repository)
    let row = try #require((0..<training.rowCount).first { training["last_amount"]!.isValid($0) })
    let before = try served(row, by: service)

    // All amounts doubled: every sum changes, profiles and merchant statistics do not.
    let table = try Fixtures.table("pyarrow/transactions.parquet")
    let doubled = table.columns.enumerated().map { index, column in
      index == 4 ? Column(.float64, column.scalars.map { .double($0.double! * 2) }) : column
    }
    let file = try workshop.write("doubled.parquet", Batch(schema: table.schema, columns: doubled, rowCount: table.rowCount))
    #expect(try workshop.commit("transactions", file, .upsert).datasets.first?.changedCount == 20_000)
    let second = try repository.materialize()
    #expect((second.number, second.builtCount, second.reusedCount) == (2, 2, 2))
    #expect(try served(row, by: service) == before, "a service stays at its generation until it reloads")
    #expect(try service.reload())
    #expect(service.generationNumber == 2)
    let after = try served(row, by: service)
    #expect(after["last_amount"]?.doubleValue == before["last_amount"]!.doubleValue! * 2)
    #expect(after["country"] == before["country"])

    let back = try repository.rollbackGeneration()
    #expect((back.number, back.commit) == (1, first.commit))
    #expect(try service.reload())
    #expect(try served(row, by: service) == before)
    #expect(try !service.reload())
    let error = #expect(throws: AlmanacError.self) { try repository.rollbackGeneration() }
    #expect(error?.description == "Cannot roll back: generation 1 is the first")
  }

  @Test func materializingAgainReusesImages() throws {
    _ = try workshop.repository.materialize()
    let again = try workshop.repository.materialize()
    #expect((again.number, again.builtCount, again.reusedCount) == (2, 0, 4))
  }

  @Test func badRequestsSayWhatIsWrong() throws {
    let none = #expect(throws: AlmanacError.self) { try OnlineService(repository: workshop.repository) }
    #expect(none?.kind == .notFound)
    _ = try workshop.repository.materialize()
    let service = try OnlineService(repository: workshop.repository)
    for (body, status, text) in [
      ("{", 400, "The body"), ("[]", 400, "JSON object"), ("{\"feature_service\":\"nope\",\"entities\":{}}", 404, "nope"),
      ("{\"feature_service\":\"fraud_v1\",\"entities\":{\"user_id\":[1]}}", 400, "merchant_id"),
      ("{\"feature_service\":\"fraud_v1\",\"entities\":{\"user_id\":[1],\"merchant_id\":[1,2]}}", 400, "expected"),
      ("{\"features\":[\"user_spend:nope\"],\"entities\":{\"user_id\":[1]}}", 404, "nope"),
      ("{\"features\":[\"user_spend:spend_7d\"],\"entities\":{\"user_id\":[1.5]}}", 422, "user_id"),
    ] {
      let answer = Array(body.utf8).withUnsafeBytes { service.answer($0) }
      let detail = try JSON(parsing: answer.body)["detail"]?.stringValue ?? ""
      #expect(answer.status == status, "\(body): \(detail)")
      #expect(detail.contains(text), "\(body): \(detail)")
    }
  }
}

extension JSON {
  /// Whether the value is this scalar, doubles bit for bit.
  func isSame(as scalar: Scalar) -> Bool {
    switch (self, scalar) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
    case (.string(let a), .string(let b)): a == b
    default: false
    }
  }
}
