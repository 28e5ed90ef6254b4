import Columns
import Testing

@testable import Features

@Suite struct LabelGridTests {
  private let keys = [Field("user", .int64), Field("shop", .string)]

  private func column(_ values: [Int64?]) -> Column { Column(.int64, values.map { $0.map { .int($0) } ?? .null }) }

  @Test func keysAreDistinctAscendingAndWithoutNulls() {
    var collector = EntityCollector(keys: keys)
    collector.add([column([2, 1, nil, 2, 1]), Column(.string, [.string("b"), .string("b"), .string("a"), .string("b"), .string("a")])])
    collector.add([column([]), Column(.string, [])])
    collector.add([column([-1, 2, 3]), Column(.string, [.string("é"), .string("a"), .null])])
    let entities = collector.finish()
    #expect(entities.columns[0].scalars == [.int(-1), .int(1), .int(1), .int(2), .int(2)])
    #expect(entities.columns[1].scalars == [.string("é"), .string("a"), .string("b"), .string("a"), .string("b")])
  }

  /// More rows than are merged at a time, in batches that repeat each other's keys.
  @Test func manyBatchesGiveEachKeyOnce() {
    let seed: UInt64 = 20_260_227
    var state = seed
    func next(_ bound: Int64) -> Int64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int64(state >> 33) % bound
    }
    var collector = EntityCollector(keys: [Field("user", .int64)])
    var expected: Set<Int64> = []
    for _ in 0..<40 {
      let values = (0..<60_000).map { _ in next(1_000_000) }
      expected.formUnion(values)
      var data = GrowableBuffer()
      for value in values { data.append(value) }
      collector.add([Column(type: .int64, count: values.count, data: data.finish())])
    }
    let entities = collector.finish()
    let found = entities.columns[0].values(Int64.self)
    #expect((0..<entities.rowCount).map { found[$0] } == expected.sorted(), "seed \(seed)")
  }

  @Test func rowsAreByEntityThenTime() throws {
    let entities = Batch(
      schema: Schema(keys), columns: [column([1, 1, 5]), Column(.string, [.string("a"), .string("b"), .string("")])], rowCount: 3)
    let grid = try LabelGrid(entities: entities, timeColumn: "at", times: -5...10, stepMicros: 7)
    #expect(grid.rowCount == 9)
    #expect(grid.timeCount == 3)
    #expect(grid.schema.fields.map(\.name) == ["user", "shop", "at"])
    let all = grid.rows(0..<9)
    #expect(all.columns[0].scalars == [1, 1, 1, 1, 1, 1, 5, 5, 5].map { .int($0) })
    #expect(all.columns[1].scalars == ["a", "a", "a", "b", "b", "b", "", "", ""].map { .string($0) })
    #expect(all.columns[2].scalars == [-5, 2, 9, -5, 2, 9, -5, 2, 9].map { .timestamp($0, .microsecond) })
    for cut in 0...9 {
      let parts = Batch.concatenate([grid.rows(0..<cut), grid.rows(cut..<9)])
      #expect(BatchDigest.sha256(of: parts) == BatchDigest.sha256(of: all), "cut at \(cut)")
    }
  }

  @Test func aGridThatCannotBeCountedIsRefused() throws {
    let entities = Batch(schema: Schema([Field("user", .int64)]), columns: [column([1, 2])], rowCount: 2)
    let error = #expect(throws: FeatureError.self) {
      try LabelGrid(entities: entities, timeColumn: "at", times: Int64.min...Int64.max, stepMicros: 1)
    }
    #expect(error?.text == "Cannot make labels of 2 entities: expected at most 2^63 - 1 rows, found 36893488147419103232")
    let clash = #expect(throws: FeatureError.self) {
      try LabelGrid(entities: entities, timeColumn: "user", times: 0...1, stepMicros: 1)
    }
    #expect(clash?.text == "Labels would have two columns named user: an entity key and the time")
    #expect(try LabelGrid(entities: entities, timeColumn: "at", times: Int64.max - 1...Int64.max, stepMicros: 5).timeCount == 1)
  }
}
