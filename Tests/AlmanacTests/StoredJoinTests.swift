import Columns
import Features
import Foundation
import Online
import Testing

/// Law 3: one row in, one row out, and never a value from the future. The join over leaves, tails and projections, of datasets keyed in
/// any way and with random histories, against going through all rows for every label.
///
/// ALMANAC_SEEDS=5000 runs more histories than the usual 1,000.
@Suite struct StoredJoinTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 1000
  /// So many tests share the seeds, side by side.
  static let shareCount = 4

  @Test(arguments: 0..<shareCount) func theJoinIsWhatAllRowsSay(share: Int) throws {
    let seeds = stride(from: share + 1, through: Self.seedCount, by: Self.shareCount)
    print("joins of seeds \(share + 1), \(share + 1 + Self.shareCount) ... up to \(Self.seedCount)")
    var failureCount = 0
    for seed in seeds {
      let failure: String?
      do {
        failure = try Self.difference(seed: seed)
      } catch {
        failure = "\(error)"
      }
      guard let failure else { continue }
      Issue.record("seed \(seed): \(failure)")
      failureCount += 1
      // More would say no more.
      if failureCount == 5 { return }
    }
  }

  /// Plays one history. - Returns: what is wrong, nil when nothing is.
  private static func difference(seed: Int) throws -> String? {
    var history = try JoinHistory(seed: UInt64(seed))
    for _ in 0..<Int.random(in: 0...6, using: &history.random) { try history.step() }
    let labels = history.randomLabels([0, 1, 4, 12, 25].randomElement(using: &history.random)!)
    let frame = history.frame(labels)
    let service = try history.shape.service()
    let ranges = [8, 30, 100_000].randomElement(using: &history.random)!
    var run = try TrainingRun(
      service: service, labels: frame.schema, options: TrainingOptions(fullNames: true), source: history, rangeRowCountMax: ranges)
    // In one batch of labels or in two.
    let cut = Bool.random(using: &history.random) ? labels.count : labels.count / 2
    var parts = [try run.join(frame.slice(from: 0, count: cut))]
    if cut < labels.count { parts.append(try run.join(frame.slice(from: cut, count: labels.count - cut))) }
    let result = Batch.concatenate(parts)
    let place = "\(history.model.count) rows, ranges of \(ranges), stored \(history.isStored), \(history.shape)"
    guard result.rowCount == labels.count else { return "\(result.rowCount) rows of \(labels.count) labels, \(place)" }
    guard result.schema.fields.prefix(frame.columns.count) == frame.schema.fields[...],
      zip(frame.columns, result.columns).allSatisfy({ zip($0.scalars, $1.scalars).allSatisfy { $0.isSame(as: $1) } })
    else { return "the labels' columns are changed, \(place)" }
    let oracle = JoinOracle(history)
    for (keys, prefix) in [(0, nil), (1, "other")] {
      for feature in history.shape.features where prefix == nil || feature.view == 0 {
        let name = "\(prefix ?? "v\(feature.view)")__\(feature.name)"
        guard let column = result[name] else { return "there is no column \(name), \(place)" }
        for (row, label) in labels.enumerated() {
          let (found, wanted) = (column.scalar(at: row), oracle.value(feature, label, keys: keys))
          guard found != wanted else { continue }
          return "\(name) of \(label) is \(found), expected \(wanted), \(place)"
        }
      }
    }
    return nil
  }

  /// Law 2 over the same histories: what an image serves at a time is what all rows say.
  @Test func imagesServeWhatAllRowsSay() throws {
    let seeds = stride(from: 1, through: Self.seedCount, by: 5)
    print("images of seeds 1, 6 ... up to \(Self.seedCount)")
    var failureCount = 0
    for seed in seeds {
      guard let failure = try Self.imageDifference(seed: seed) else { continue }
      Issue.record("seed \(seed): \(failure)")
      failureCount += 1
      if failureCount == 5 { return }
    }
  }

  private static func imageDifference(seed: Int) throws -> String? {
    var history = try JoinHistory(seed: UInt64(seed))
    for _ in 0..<Int.random(in: 1...6, using: &history.random) { try history.step() }
    let labels = history.randomLabels(25)
    let oracle = JoinOracle(history)
    let buildTime = Int64(Int.random(in: -12..<40, using: &history.random)) * JoinShape.day / 2
    for (number, view) in try history.shape.compiledViews().enumerated() {
      let bytes = try GenerationBuilder.encode(view: view, events: .build(view, from: history), buildTimeMicros: buildTime)
      let image = try ViewImage(bytes: BufferSlice(copying: bytes))
      for label in labels where label.time >= buildTime {
        let keys = zip(history.shape.entityKeys, image.descriptor.keyTypes).map { entity, type -> Scalar in
          let value = entity.column == .user ? label.keys[0].user.map { history.shape.labelUser($0) } : nil
          let region = label.keys[0].region.map { Scalar.string((JoinShape.regions + ["z"])[$0]) }
          return (entity.column == .user ? value : region) ?? .null
        }
        let found = try image.lookup(keys: keys, at: label.time)
        for (feature, found) in zip(history.shape.features.filter { $0.view == number }, found) {
          let wanted = oracle.value(feature, label, keys: 0)
          guard found.value != wanted else { continue }
          return "\(feature.name) of \(label) is \(found), expected \(wanted), built at \(buildTime), \(history.shape)"
        }
      }
    }
    return nil
  }

  @Test func batchesOfLabelsGiveWhatAllOfThemGive() throws {
    for seed in 1...40 {
      var history = try JoinHistory(seed: UInt64(seed))
      for _ in 0..<4 { try history.step() }
      let frame = history.frame(history.randomLabels(50))
      let service = try history.shape.service()
      let options = TrainingOptions(fullNames: true)
      let whole = try TrainingSet.build(service: service, labels: frame, options: options, source: history)
      var run = try TrainingRun(service: service, labels: frame.schema, options: options, source: history)
      let parts = try [0..<1, 1..<30, 30..<50].map { try run.join(frame.slice(from: $0.lowerBound, count: $0.count)) }
      let found = Batch.concatenate(parts).columns.map(\.scalars)
      #expect(zip(found, whole.batch.columns).allSatisfy { zip($0, $1.scalars).allSatisfy { $0.isSame(as: $1) } }, "seed \(seed)")
      let manifest = run.manifest(service: .null, datasetRoots: [:], commit: "c")
      #expect(manifest == whole.manifest(service: .null, datasetRoots: [:], commit: "c"), "seed \(seed)")
    }
  }

  /// The histories are only a test as long as they have tails, several partitions and several leaves, and the shapes all that they can.
  @Test func historiesHaveTailsAndLeaves() throws {
    var (tails, partitions, leaves) = (0, 0, 0)
    var shapes: [String: Int] = [:]
    for seed in 1...200 {
      var history = try JoinHistory(seed: UInt64(seed))
      let shape = history.shape
      let keys = shape.entityKeys.map(\.column.rawValue)
      func count(_ name: String, _ holds: Bool) { shapes[name, default: 0] += holds ? 1 : 0 }
      count("timeless", shape.isTimeless)
      count("timeless, known by creation", shape.isTimeless && shape.views.contains { $0.knowledge == .created })
      count("known by creation", shape.views.contains { $0.knowledge == .created })
      count("keys lead", Set(shape.layout.primaryKey.prefix(keys.count)) == Set(keys))
      count("keys do not lead", Set(shape.layout.primaryKey.prefix(keys.count)) != Set(keys))
      count("two keys", keys.count == 2)
      count("a nullable key", keys.contains { shape.layout.schema[$0]!.isNullable })
      count("not stored", !history.isStored)
      count("a bool key that leads", shape.userType == .bool && keys.contains("user") && shape.layout.primaryKey.first == "user")
      count("ttl", shape.views.contains { $0.ttlMicros != nil })
      guard seed <= 40 else { continue }
      for _ in 0..<8 { try history.step() }
      tails = max(tails, history.tailCountMax)
      partitions = max(partitions, history.partitionCountMax)
      leaves = max(leaves, history.leafCountMax)
    }
    #expect(tails >= 2)
    #expect(partitions >= 3)
    #expect(leaves >= 6)
    for (name, count) in shapes { #expect(count >= 5, "\(name)") }
  }
}
