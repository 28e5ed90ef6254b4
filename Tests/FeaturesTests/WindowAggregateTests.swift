import Columns
import Testing

@testable import Features

/// Every aggregate of every type against going through all rows, over the windows of random labels.
@Suite struct WindowAggregateTests {
  @Test(arguments: 0..<8) func aggregatesEqualTheNaiveOnes(round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max / 2) * 2 + UInt64(round % 2)
    let history = WindowHistory(seed: seed, rowCount: [0, 1, 20, 60][round % 4], labelCount: 12)
    let source = history.source
    let table = try source.table("events")
    let service = try history.definitions.compile(service: "all", sources: ["events": table])
    let training = try TrainingSet.build(service: service, labels: history.labelBatch, source: source)
    let events = try ViewEvents.build(try history.definitions.compile(view: "v", source: table), from: source)
    for (row, label) in history.labels.enumerated() {
      let key = try KeyEncoder.encode([Column(.int64, [.int(label.user)])], row: 0)
      let moment = events.moment(of: key.withUnsafeBytes { events.index.find($0) }, at: label.time)
      for (number, one) in history.cases.enumerated() {
        let window = history.window(label, one)
        let values = window.map { row in one.column.map { row[$0] } ?? .int(1) }
        let expected = WindowExpectation(one.function, one.column.map { WindowHistory.schema.fields[$0].type }, values)
        let found = try #require(training.batch[one.feature.name]).scalar(at: row)
        #expect(
          expected.accepts(found),
          "seed \(seed): \(one.feature.summary) of user \(label.user) at \(label.time) is \(found), expected \(expected) of \(values)")
        // The value of one window is the one of windows that slide, bit for bit.
        let single = events.value(of: number, at: moment).value
        #expect(single.isSameDeep(as: found), "seed \(seed): \(one.feature.summary) at \(label.time): \(single) alone, \(found) sliding")
      }
    }
  }

  /// Windows of thousands of events that slide by few and by many, so that queues, counts and sketches fill and empty.
  @Test func longWindowsSlideAsTheyAreComputedAlone() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let count = 12_000
    let schema = Schema([
      Field("user", .int64), Field("event_timestamp", .timestampMicros), Field("amount", .float64), Field("items", .int64),
    ])
    let ids = (0..<count).map { _ in Int64.random(in: 0..<9_000, using: &random) }
    let columns = [
      Column(.int64, repeating: .int(1), count: count),
      Column(.timestampMicros, (0..<count).map { .timestamp(Int64($0) * 10, .microsecond) }),
      Column(.float64, ids.map { .double(Double($0 * $0 % 7_919) / 8) }), Column(.int64, ids.map { .int($0) }),
    ]
    let table = SourceTable(name: "events", schema: schema, primaryKey: ["user", "event_timestamp"], eventTime: "event_timestamp")
    let source = MemorySource(tables: ["events": (table, Batch(schema: schema, columns: columns, rowCount: count))])
    let functions: [AggregateFunction] = [
      .sum, .avg, .min, .max, .stddev, .first, .last, .lastN(100), .approxCountDistinct, .approxQuantile(0.99),
    ]
    var features: [FeatureDefinition] = []
    for function in functions {
      for of in ["amount", "items"] {
        let kind = FeatureKind.aggregate(function, of: of, window: .micros(45_000), filter: nil)
        features.append(FeatureDefinition(name: "f\(features.count)", kind: kind))
      }
    }
    let definitions = DefinitionSet(
      entities: [Entity(name: "user", keys: [EntityKey(name: "user", type: .int64)])],
      views: [FeatureView(name: "v", entity: "user", source: "events", features: features)],
      services: [FeatureService(name: "all", features: features.map { FeatureReference(view: "v", feature: $0.name) })], places: [:])
    let times = (0..<30).map { _ in Int64.random(in: -10...125_000, using: &random) } + [60_000, 60_001, 60_011, 60_900, 61_500]
    let labels = Batch(
      schema: Schema([Field("user", .int64), Field("event_timestamp", .timestampMicros)]),
      columns: [
        Column(.int64, repeating: .int(1), count: times.count), Column(.timestampMicros, times.map { .timestamp($0, .microsecond) }),
      ],
      rowCount: times.count)
    let training = try TrainingSet.build(
      service: definitions.compile(service: "all", sources: ["events": table]), labels: labels, source: source)
    let events = try ViewEvents.build(try definitions.compile(view: "v", source: table), from: source)
    for (row, time) in times.enumerated() {
      let moment = events.moment(of: 0, at: time)
      for (number, feature) in features.enumerated() {
        let sliding = try #require(training.batch[feature.name]).scalar(at: row)
        let single = events.value(of: number, at: moment).value
        #expect(single.isSameDeep(as: sliding), "seed \(seed): \(feature.summary) at \(time): \(single) alone, \(sliding) sliding")
      }
      guard let end = (0..<count).last(where: { Int64($0) * 10 <= time }) else { continue }
      let window = ids[max(0, Int((time - 45_000).quotientFloor(10)) + 1)...end]
      let distinct = try #require(training.batch["f17"]).scalar(at: row)
      let wanted = Double(Set(window).count)
      guard case .int(let estimate) = distinct else { return #expect(Bool(false), "\(distinct)") }
      // Five standard errors.
      #expect(abs(Double(estimate) - wanted) <= 0.041 * wanted + 1, "seed \(seed): \(estimate) of \(wanted)")
    }
  }

  @Test func deviationsAreExactWhereSumsOfSquaresCancel() {
    func deviation(_ values: [Double]) -> Double? {
      values.withUnsafeBufferPointer { values in
        guard var window = DoubleMomentWindow(values.baseAddress!, PositionRange(values.baseAddress!, rows: 0..<values.count)) else {
          return -1
        }
        var wide = WideMomentWindow(values.baseAddress!)
        window.add(0..<values.count)
        wide.add(0..<values.count)
        let result = window.deviation(count: values.count)
        #expect(wide.deviation(count: values.count)?.bitPattern == result?.bitPattern)
        window.remove(0..<1)
        wide.remove(0..<1)
        #expect(wide.deviation(count: values.count - 1)?.bitPattern == window.deviation(count: values.count - 1)?.bitPattern)
        return result
      }
    }
    #expect(deviation([2, 4, 4, 4, 5, 5, 7, 9]) == (32.0 / 7).squareRoot())
    #expect(deviation([1e15 + 4, 1e15 + 7, 1e15 + 13, 1e15 + 16]) == 30.0.squareRoot())
    #expect(deviation([0.1, 0.1, 0.1]) == 0)
    #expect(deviation([3]) == nil)
    // The root of 2 units, to the nearest unit.
    let least = Double.leastNonzeroMagnitude
    #expect(deviation([3, .nan])?.isNaN == true)
    #expect(deviation([3, .infinity])?.isNaN == true)
    #expect(deviation([3 * least, least]) == least)
    let far = [1e300, -1e300, 1e-300]
    let spread = far.withUnsafeBufferPointer { values in
      var wide = WideMomentWindow(values.baseAddress!)
      wide.add(0..<3)
      return wide.deviation(count: 3)
    }
    #expect(spread == 1e300)
  }

  @Test func decimalsAreSummedBeyondTheirPrecision() {
    let greatest = Int128(10).power(38) - 1
    let values = [greatest, greatest, greatest, -greatest, -greatest, -5]
    values.withUnsafeBufferPointer { values in
      var window = DecimalWindow(values.baseAddress!)
      window.add(0..<3)
      #expect(window.sum == nil)
      #expect(window.mean(count: 3, scale: 38) == 1)
      window.add(3..<6)
      #expect(window.sum == greatest - 5)
      window.remove(0..<3)
      #expect(window.sum == nil)
      #expect(window.mean(count: 4, scale: 0) == -5e37)
      window.remove(3..<5)
      #expect(window.sum == -5)
      #expect(window.mean(count: 3, scale: 2) == -5.0 / 300)
    }
  }

  @Test func quantileBucketsKeepTheirBound() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    for _ in 0..<400 {
      let value = Double(bitPattern: random.next() & ~(1 << 63))
      guard value.isFinite, value > 0 else { continue }
      let key = QuantileSketch.key(value)
      #expect(
        abs(QuantileSketch.value(ofKey: key) / value - 1) <= 0.01 + 1e-12 || value < .leastNormalMagnitude / 0x1p40,
        "seed \(seed): \(value)")
      #expect(QuantileSketch.key(-value) == -key)
      #expect(QuantileSketch.key(value * 1.1) >= key)
    }
    #expect(
      [-Double.infinity, -1e308, -1, -1e-308, 0, 1e-308, 1, 1e308, .infinity, .nan].map { QuantileSketch.key($0) }
        == [-Double.infinity, -1e308, -1, -1e-308, 0, 1e-308, 1, 1e308, .infinity, .nan].map { QuantileSketch.key($0) }.sorted())
    #expect(QuantileSketch.value(0.5, keys: [QuantileSketch.zero, QuantileSketch.nan, QuantileSketch.infinity]) == .infinity)
  }

  @Test func distinctEstimatesStartAtOne() {
    for count in [1, 2, 3, 10, 50] {
      let keys = (0..<count).map { UInt32($0 * 97) << 6 | 1 }
      #expect(DistinctSketch.estimate(keys + keys) == Int64(count))
    }
  }

  @Test func resolutionLowersTheStart() {
    func start(_ time: Int64) -> Int64? { AggregateInput.exclusiveStart(of: .coarse(10, resolution: 60), at: time) }
    #expect(start(70) == 60)
    #expect(start(69) == 0)
    #expect(start(10) == 0)
    #expect(start(9) == -60)
    #expect(start(.min + 12) == nil)
    #expect(start(.min + 5) == nil)
  }
}

extension Int64 {
  fileprivate func quotientFloor(_ divisor: Int64) -> Int64 { self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor) }
}

extension Int128 {
  fileprivate func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { power, _ in power * self } }
}
