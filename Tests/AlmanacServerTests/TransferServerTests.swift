import Almanac
import Dispatch
import Foundation
import Hummingbird
import Logging
import Synchronization
import Testing

@testable import AlmanacServer

/// A repository behind a server of this process.
private final class ServedRepository: Sendable {
  let folder: String
  let repository: Repository
  let transfers: RemoteTransfers
  let address: String
  private let task: Task<Void, any Error>

  private init(folder: String, repository: Repository, transfers: RemoteTransfers, address: String, task: Task<Void, any Error>) {
    self.folder = folder
    self.repository = repository
    self.transfers = transfers
    self.address = address
    self.task = task
  }

  deinit {
    task.cancel()
    try? FileManager.default.removeItem(atPath: folder)
  }

  static let contract = """
    apiVersion: v3.1.0
    kind: DataContract
    id: t
    schema:
    - name: t
      properties:
      - {name: id, physicalType: int64, primaryKey: true}
      - {name: v, physicalType: utf8}
    """

  static func start() async throws -> ServedRepository {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("almanac-served-\(UUID().uuidString)").path
    let repository = try Repository.create(at: "\(folder)/far")
    try contract.write(toFile: "\(folder)/far/schemas/t.yaml", atomically: true, encoding: .utf8)
    _ = try repository.apply(plan: false)
    let routes = RemoteRoutes(remote: repository.asRemote, access: RemoteAccess(allowsPush: true))
    let router = Router()
    routes.add(to: router)
    var logger = Logger(label: "almanac.test")
    logger.logLevel = .critical
    let (ports, found) = AsyncStream<Int>.makeStream()
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let task = Task { try await application.run() }
    var iterator = ports.makeAsyncIterator()
    let port = await iterator.next() ?? 0
    let served = ServedRepository(
      folder: folder, repository: repository, transfers: routes.transfers, address: "http://127.0.0.1:\(port)", task: task)
    try served.commit(repository, 0)
    return served
  }

  func commit(_ repository: Repository, _ number: Int) throws {
    let file = "\(folder)/\(UUID().uuidString).csv"
    try "id,v\n\(number),x\n".write(toFile: file, atomically: true, encoding: .utf8)
    _ = try repository.commit([CommitInput(dataset: "t", path: file)], mode: .append, message: "\(number)")
  }

  func remote() -> HTTPRemote { HTTPRemote(address: address, token: nil) }
  var door: RemoteDoor { RemoteDoor(http: { HTTPRemote(address: $0, token: nil) }) }

  func collect() throws -> Int {
    try repository.collectGarbage(retention: "0", grace: "0", isDryRun: false).objectCounts.values.reduce(0, +)
  }
  func damage() throws -> [String] {
    try Repository.check(at: repository.folder).problems.filter { $0.severity == .damage }.map { "\($0.object): \($0.detail)" }
  }
}

/// Away from the threads of the test, because calls of a remote block theirs.
private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}

@Suite struct TransferServerTests {
  /// What a push calls sent is there, whatever gc runs beside it.
  @Test func pushesThroughAServerBesideGarbageCollections() async throws {
    let served = try await ServedRepository.start()
    let isOver = Mutex(false)
    async let collections: Int = blocking {
      var count = 0
      while !isOver.withLock({ $0 }) {
        _ = try served.collect()
        count += 1
        // One after the other without a pause would keep others from the locks: whoever asks again at once gets them.
        usleep(20_000)
      }
      return count
    }
    try await blocking {
      defer { isOver.withLock { $0 = true } }
      let near = try Repository.clone(served.address, to: "\(served.folder)/near", through: served.door).repository
      for number in 1...6 {
        try served.commit(near, number)
        let report = try near.push(through: served.door)
        #expect(try served.repository.resolve("main") == report.new)
        #expect(try served.repository.log().count == 2 + number)
        if number % 3 == 0 {
          // What is stored there and named by nothing is named again: the transfer skips all of it.
          _ = try served.repository.undo()
          let again = try near.push(through: served.door)
          #expect(try served.repository.resolve("main") == again.new)
        }
        _ = try near.fetch(through: served.door)
      }
    }
    #expect(try await collections > 0)
    #expect(try served.damage() == [])
    #expect(served.transfers.count == 0)
  }

  /// Until it is over, or silent, a transfer keeps what it found and what it asked for.
  @Test func aTransferThroughAServerKeepsWhatItReliesOn() async throws {
    let served = try await ServedRepository.start()
    try await blocking {
      try served.commit(served.repository, 1)
      let tip = try served.repository.resolve("main")
      let key = ObjectKey(kind: .commit, id: tip.hash)
      _ = try served.repository.undo()
      usleep(20_000)
      let (work, other) = (try served.remote().beginWork(), try served.remote().beginWork())
      #expect(served.transfers.count == 0)
      #expect(try work.missing([key]) == [])
      #expect(try other.commits(from: [tip], excluding: []).first?.key == key)
      #expect(served.transfers.count == 2)
      #expect(try served.collect() == 0)
      work.endWork()
      #expect(served.transfers.count == 1)
      #expect(try served.collect() == 0)
      other.endWork()
      #expect(served.transfers.count == 0)
      #expect(try served.collect() > 0)
      #expect(try served.remote().missing([key]) == [key])
      let update = RefUpdate(
        name: "main", kind: .branch, expecting: try served.repository.resolve("main"), new: tip, isForced: false, reason: "push", steps: [])
      #expect(
        throws: StoreError(
          kind: .notFound, text: "\(served.address): Cannot read commit \(tip): it is not stored in \(served.repository.folder)/.almanac")
      ) {
        try served.remote().move(update)
      }
    }
  }

  private struct CountingRemote: Remote {
    let base: any Remote
    let endCount: Counter

    final class Counter: Sendable {
      private let value = Mutex(0)
      var count: Int { value.withLock { $0 } }
      func add() { value.withLock { $0 += 1 } }
    }

    var location: String { base.location }
    func state() throws(StoreError) -> RemoteState { try base.state() }
    func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep] { try base.moves(of: ref, afterMicros: afterMicros) }
    func commits(from wanted: [CommitName], excluding: [CommitName]) throws(StoreError) -> [TransferObject] {
      try base.commits(from: wanted, excluding: excluding)
    }
    func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] { try base.missing(keys) }
    func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject] { try base.objects(keys) }
    func bytes(of key: ObjectKey, _ range: Range<Int>) throws(StoreError) -> [UInt8] { try base.bytes(of: key, range) }
    func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
      try base.receivedByteCount(of: key, record)
    }
    func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
      try base.receive(bytes, at: offset, of: key, record)
    }
    func register(_ objects: [TransferObject]) throws(StoreError) { try base.register(objects) }
    func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome { try base.move(update) }
    func beginWork() throws(StoreError) -> any Remote { self }
    func endWork() { endCount.add() }
  }

  @Test func soManyTransfersAreKeptAndTheMostSilentGoesFirst() async throws {
    let served = try await ServedRepository.start()
    let counter = CountingRemote.Counter()
    let transfers = RemoteTransfers(CountingRemote(base: served.repository.asRemote, endCount: counter))
    for number in 0..<256 { _ = try transfers.remote(for: "t\(number)") }
    _ = try transfers.remote(for: "t0")
    #expect("\(transfers.count) \(counter.count)" == "256 0")
    _ = try transfers.remote(for: "one more")
    _ = try transfers.remote(for: "")
    _ = try transfers.remote(for: nil)
    _ = try transfers.remote(for: String(repeating: "a", count: 65))
    #expect("\(transfers.count) \(counter.count)" == "256 0")
    _ = try transfers.remote(for: "more")
    #expect("\(transfers.count) \(counter.count)" == "256 1")
    // The second is gone, the first was heard again.
    transfers.end("t1")
    #expect("\(transfers.count) \(counter.count)" == "256 1")
    transfers.end("t0")
    #expect("\(transfers.count) \(counter.count)" == "255 2")
    transfers.endIdle()
    #expect(transfers.count == 255)
  }
}
