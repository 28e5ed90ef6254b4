import Columns
import Features
import Testing

@testable import Online

/// Online(t) = offline(t): what an image serves is what the join gives, bit for bit.
@Suite struct LawOnlineTests {
  @Test(arguments: 0..<10, ["all", "known"]) func imagesServeWhatTheJoinGives(round: Int, name: String) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let history = OnlineHistory(seed: seed, rowCount: [0, 1, 40, 300, 900][round % 5])
    let buildTime = Int64.random(in: -25...35, using: &random) * 1000
    let generation = try history.generation(at: buildTime)
    let sources = Dictionary(uniqueKeysWithValues: try ["orders", "profiles", "plans"].map { ($0, try history.table($0)) })
    let service = try generation.definitions.compile(service: name, sources: sources)
    let plan = try generation.plan(service: name)
    #expect(plan.featureNames == ["user_id", "region"] + service.outputs.map(\.outputName))

    for time in [buildTime, buildTime + 1] + (0..<12).map({ _ in buildTime + Int64.random(in: 0...40, using: &random) * 500 }) + [.max] {
      var users: [Scalar] = [.null]
      var regions: [Scalar] = [.string("a")]
      for user in -3...4 {
        for region in ["", "a", "b\0", "c"] {
          users.append(.int(Int64(user)))
          regions.append(.string(region))
        }
      }
      let keys = [Column(.int64, users), Column(.string, regions)]
      let schema = Schema([Field("user_id", .int64), Field("region", .string), Field("event_timestamp", .timestampMicros)])
      let times = Column(.timestampMicros, repeating: .timestamp(time, .microsecond), count: users.count)
      let labels = Batch(schema: schema, columns: keys + [times], rowCount: users.count)
      let offline = try TrainingSet.build(service: service, labels: labels, source: history)
      let online = try generation.answer(plan, entities: keys, at: time)
      for (place, name) in offline.featureNames.enumerated() {
        let column = try #require(offline.batch[name])
        for row in 0..<users.count {
          let (found, wanted) = (online[place][row], column.scalar(at: row))
          #expect(
            found.value.isSame(as: wanted),
            "seed \(seed), built at \(buildTime): \(name) of (\(users[row]), \(regions[row])) at \(time) is \(found), expected \(wanted)")
          #expect((found.status == .present) == (wanted != .null), "seed \(seed): \(name) \(found)")
          #expect(found.eventTimeMicros <= time || found.eventTimeMicros == 0)
        }
      }
    }
  }

  @Test func questionsBeforeTheBuildAreRefused() throws {
    let generation = try OnlineHistory(seed: 1, rowCount: 20).generation(at: 5_000)
    #expect(generation.buildTimeMicros == 5_000)
    let image = try #require(generation.images["newest"])
    let error = #expect(throws: OnlineError.self) { try image.lookup(keys: [.int(1)], at: 4_999) }
    #expect(error?.kind == .beforeBuild)
    #expect(
      error?.text
        == "View newest was materialized as of 1970-01-01T00:00:00.005000Z; 1970-01-01T00:00:00.004999Z lies before")
    let timeless = try #require(generation.images["ever"])
    // What is known by creation is not the same at every time, though it has no event time.
    let plan = try #require(generation.images["plan"])
    #expect(throws: OnlineError.self) { try plan.lookup(keys: [.int(1)], at: 4_999) }
    #expect(try timeless.lookup(keys: [.int(2)], at: .min).map(\.value) == [.string("FR"), .int(1)])
  }
}

extension Scalar {
  /// Equal bit for bit, so that NaN equals NaN.
  func isSame(as other: Scalar) -> Bool {
    if case .double(let a) = self, case .double(let b) = other { return a.bitPattern == b.bitPattern }
    if case .list(let a) = self, case .list(let b) = other { return a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) } }
    return self == other
  }
}
