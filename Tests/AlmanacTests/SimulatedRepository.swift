import Columns
import Foundation
import History
import Objects
import Tables
import Testing

@testable import Almanac

/// A repository on a simulated disk whose machine can be stopped at each write, and where a few rows are enough for tails.
final class SimulatedRepository {
  static let policy = TailPolicy(
    rewrittenRowCountMin: 8, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 4, foldFactor: 2)

  let workshop: Workshop
  let faults: StorageFaults
  let volume: MemoryVolume
  let catalog: Catalog
  let repository: Repository

  private init(_ workshop: Workshop, _ faults: StorageFaults, _ volume: MemoryVolume, _ catalog: Catalog, _ archive: Archive) {
    self.workshop = workshop
    self.faults = faults
    self.volume = volume
    self.catalog = catalog
    repository = Repository(folder: workshop.repository.folder, archive: archive, tailPolicy: Self.policy)
  }

  /// An empty one. - Parameter workshop: the folder for what lies beside the store.
  convenience init(_ workshop: Workshop) throws {
    let faults = StorageFaults()
    let volume = MemoryVolume(faults: faults)
    let catalog = try Catalog.inMemory(faults: faults)
    self.init(workshop, faults, volume, catalog, try Archive.create(on: volume, catalog: catalog))
  }

  /// An empty one whose every step is watched (`WatchedVolume`).
  /// - Parameter watch: gets the archive, unwatched; it is not called while a lock is held that a gc would wait for.
  convenience init(_ workshop: Workshop, watch: @escaping @Sendable (Archive) -> Void) throws {
    let faults = StorageFaults()
    let volume = MemoryVolume(faults: faults)
    let catalog = try Catalog.inMemory(faults: faults)
    let unwatched = try Archive.create(on: volume, catalog: catalog)
    let watched = WatchedVolume(volume, quietLocks: ["objects.lock", "gc.lock"]) { _ in watch(unwatched) }
    self.init(workshop, faults, volume, catalog, try Archive.open(on: watched, catalog: catalog))
  }

  /// Opens what a machine finds.
  private convenience init(_ workshop: Workshop, _ faults: StorageFaults, volume: MemoryVolume, catalog: Catalog) throws {
    self.init(workshop, faults, volume, catalog, try Archive.open(on: volume, catalog: catalog))
  }

  /// The same on a machine of its own.
  func copy() throws -> SimulatedRepository {
    let faults = StorageFaults()
    return try SimulatedRepository(workshop, faults, volume: volume.copy(faults: faults), catalog: catalog.snapshot(faults: faults))
  }

  /// What a crash now may leave.
  func survivors(limit: Int, using random: inout SplitMix) throws -> [SimulatedRepository] {
    try volume.afterCrash(limit: limit, using: &random).map {
      try SimulatedRepository(workshop, StorageFaults(), volume: $0, catalog: catalog.snapshot())
    }
  }

  // MARK: Changes

  /// Readings of sensors: even ones in February, odd ones in March, so that there are two partitions.
  func commit(_ rows: [Int: Double], _ mode: ChangeMode = .upsert, branch: String? = nil, message: String? = nil) throws {
    let lines = rows.sorted { $0.key < $1.key }.map { (sensor: $0.key, hour: $0.key % 2 * 700, value: "\($0.value)") }
    let file = try workshop.readings("rows.csv", lines)
    _ = try repository.commit(
      [CommitInput(dataset: "readings", path: file)], mode: mode, message: message ?? "\(mode) \(rows.count)", branch: branch)
  }

  func declare(columns: String = "") throws {
    let contract = Workshop.readingsContract(columns: columns)
      .replacingOccurrences(of: "partition: month", with: "partition: month, leafRows: 16")
    try workshop.declare("schemas/readings.yaml", contract)
    // What another store in this folder has applied says nothing about this one.
    try? FileManager.default.removeItem(atPath: "\(workshop.repository.folder)/.almanac/applied.json")
    _ = try repository.apply(plan: false)
  }

  /// 64 sensors with the value 0 on `main`.
  func prepare() throws {
    try declare()
    try commit(Dictionary(uniqueKeysWithValues: (0..<64).map { ($0, 0) }), .append, message: "first")
  }

  // MARK: What is there

  /// All that matters of a ref, without ids that hold times.
  struct RefState: Equatable {
    let messages: [String]
    let definitions: BlobID
    let roots: [String: RootID]
    let rows: [[Scalar]]
  }

  func state() throws -> [String: RefState] {
    var states: [String: RefState] = [:]
    for ref in try repository.archive.refs() {
      let commit = try repository.commit(ref.commit)
      let rows = commit.datasets["readings"] == nil ? [] : try repository.table("readings", at: ref.commit).read().rows
      states[ref.name] = RefState(
        messages: try repository.log(ref.name).map(\.commit.message), definitions: commit.definitions,
        roots: commit.datasets.mapValues(\.root), rows: rows)
    }
    return states
  }

  /// Values by sensor.
  func values(at spec: String = "main") throws -> [Int: Double] {
    let rows = try repository.table("readings", at: repository.resolve(spec)).read(columns: ["sensor", "value"]).rows
    return Dictionary(uniqueKeysWithValues: rows.map { (Int($0[0].int ?? -1), $0[1].double ?? .nan) })
  }

  func tails(at spec: String = "main") throws -> TailList {
    try repository.table("readings", at: repository.resolve(spec)).tails
  }

  /// What fsck finds; strays that gc would take are no damage.
  func damage() throws -> [CheckReport.Problem] {
    let report = try repository.archive.check(
      decoder: Repository.identity, tailCheck: Repository.tailProblems, contents: Repository.contents)
    return report.problems.filter { $0.severity == .damage }
  }
}
