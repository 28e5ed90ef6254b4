import Almanac
import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A repository behind the server of another one (`RemoteRoutes`).
///
/// Calls block their thread until the answer is there. A connection that breaks is tried again: every call may be repeated.
package final class HTTPRemote: Remote {
  package let location: String
  private let token: String?
  private let connection: Connection
  /// The transfer that the calls belong to; nil when they belong to none.
  private let transfer: Transfer?

  /// Without a byte for so long a connection is given up; registering many files may take a while.
  private static let idleSecondsMax: Int64 = 300
  private static let connectSecondsMax: Int64 = 30
  private static let attemptCountMax = 3

  /// - Parameters:
  ///   - address: `http://host:port` or `https://host/path`, without a slash at the end.
  ///   - token: sent as a bearer token.
  package convenience init(address: String, token: String?) {
    self.init(address, token, Connection(to: address), nil)
  }

  private init(_ address: String, _ token: String?, _ connection: Connection, _ transfer: Transfer?) {
    location = address
    self.token = token
    self.connection = connection
    self.transfer = transfer
  }

  /// The client, shared by a remote and the transfers begun on it.
  private final class Connection: Sendable {
    let client: HTTPClient

    init(to address: String) {
      var configuration = HTTPClient.Configuration()
      configuration.timeout = .init(connect: .seconds(connectSecondsMax), read: .seconds(idleSecondsMax))
      // Who refuses a connection is not asked again.
      configuration.connectionPool.retryConnectionEstablishment = false
      if let authorities = ProcessInfo.processInfo.environment["SSL_CERT_FILE"], !authorities.isEmpty {
        var security = TLSConfiguration.makeClientConfiguration()
        security.trustRoots = .file(authorities)
        configuration.tlsConfiguration = security
      }
      configuration.proxy = HTTPProxy(for: address, environment: ProcessInfo.processInfo.environment)?.configuration
      client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
      // Fails only if it was shut down before, which nothing does.
      try? client.syncShutdown()
    }
  }

  // MARK: Transfers

  private final class Transfer: Sendable {
    let name = (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
    /// Whether the server may keep something for it, and can be told that it is over.
    let isKept = Mutex(false)
  }

  /// The server keeps what the transfer relies on from the first call that needs it; one of an earlier version keeps nothing.
  package func beginWork() throws(StoreError) -> any Remote { HTTPRemote(location, token, connection, Transfer()) }

  package func endWork() {
    guard let transfer, transfer.isKept.withLock({ $0 }) else { return }
    // Should it not arrive, the server gives up what it keeps after a while.
    _ = try? exchange("DELETE", "/v1/transfers/\(transfer.name)")
  }

  // MARK: Remote

  package func state() throws(StoreError) -> RemoteState {
    try reading { () throws(StoreError) in try RemoteWire.state(RemoteWire.parse(send("GET", "/v1/refs"))) }
  }

  package func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep] {
    let bytes = try send("GET", "/v1/reflog", query: [("ref", ref), ("after", "\(afterMicros)")])
    return try reading { () throws(StoreError) in try RemoteWire.steps(RemoteWire.parse(bytes)["moves"]) }
  }

  package func commits(from wanted: [CommitName], excluding: [CommitName]) throws(StoreError) -> [TransferObject] {
    try pack(send("POST", "/v1/commits", json: ["wanted": RemoteWire.json(wanted), "excluding": RemoteWire.json(excluding)]))
  }

  package func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] {
    if keys.isEmpty { return [] }
    let bytes = try send("POST", "/v1/objects/missing", json: ["objects": RemoteWire.json(keys)])
    return try reading { () throws(StoreError) in try RemoteWire.keys(RemoteWire.parse(bytes)["missing"], "missing") }
  }

  package func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject] {
    if keys.isEmpty { return [] }
    return try pack(send("POST", "/v1/objects/read", json: ["objects": RemoteWire.json(keys)]))
  }

  package func bytes(of key: ObjectKey, _ range: Range<Int>) throws(StoreError) -> [UInt8] {
    if range.isEmpty { return [] }
    return try send(
      "GET", "/v1/files/\(key.kind.name)/\(key.id)", headers: ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
  }

  package func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    try byteCount(send("GET", "/v1/incoming/\(key.kind.name)/\(key.id)", query: Self.query(record)))
  }

  package func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    try byteCount(
      send("PUT", "/v1/incoming/\(key.kind.name)/\(key.id)", query: Self.query(record) + [("offset", "\(offset)")], body: bytes))
  }

  package func register(_ objects: [TransferObject]) throws(StoreError) {
    _ = try send("POST", "/v1/objects", body: ObjectPack.encode(objects))
  }

  package func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome {
    let (status, bytes) = try exchange("POST", "/v1/refs", body: RemoteWire.json(update).canonicalBytes)
    // A lost race is an answer; the same status without an outcome is an error.
    if status == 409, let json = try? RemoteWire.parse(bytes), json["outcome"] != nil { return try RemoteWire.outcome(json) }
    guard (200..<300).contains(status) else { throw failure(status, bytes) }
    return try reading { () throws(StoreError) in try RemoteWire.outcome(RemoteWire.parse(bytes)) }
  }

  // MARK: Messages

  private static func query(_ record: FileRecord) -> [(String, String)] {
    [("byteCount", "\(record.byteCount)"), ("sha256", ObjectHash(bytes: record.fileSHA256).description)]
  }

  private func byteCount(_ bytes: [UInt8]) throws(StoreError) -> Int {
    try reading { () throws(StoreError) in Int(try RemoteWire.integer(RemoteWire.parse(bytes)["byteCount"], "byteCount")) }
  }

  private func pack(_ bytes: [UInt8]) throws(StoreError) -> [TransferObject] {
    try ObjectPack.objects(decoding: bytes, source: location)
  }

  /// What cannot be read in an answer is the far side's fault.
  private func reading<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
    do throws(StoreError) {
      return try body()
    } catch {
      guard error.kind == .invalid else { throw error }
      throw StoreError(kind: .corrupt, text: "Cannot read the answer of \(location): \(error.text)")
    }
  }

  private func send(
    _ method: String, _ path: String, query: [(String, String)] = [], headers: [String: String] = [:], json: JSON
  ) throws(StoreError) -> [UInt8] {
    try send(method, path, query: query, headers: headers, body: json.canonicalBytes)
  }

  /// - Throws: what the far side says instead of an answer.
  private func send(
    _ method: String, _ path: String, query: [(String, String)] = [], headers: [String: String] = [:], body: [UInt8]? = nil
  ) throws(StoreError) -> [UInt8] {
    let (status, bytes) = try exchange(method, path, query: query, headers: headers, body: body)
    guard (200..<300).contains(status) else { throw failure(status, bytes) }
    return bytes
  }

  private func failure(_ status: Int, _ bytes: [UInt8]) -> StoreError {
    let json = try? RemoteWire.parse(bytes)
    let kind = RemoteWire.kinds.first { $0.name == json?["kind"]?.stringValue }?.kind
    guard let detail = json?["detail"]?.stringValue else {
      return StoreError(kind: .io(EPROTO), text: "\(location) answered with HTTP status \(status); is it an Almanac server?")
    }
    if status == 401 {
      return StoreError(kind: .refused, text: "\(location) asks for a token, and not for this one; set ALMANAC_TOKEN")
    }
    return StoreError(kind: kind ?? .io(EPROTO), text: "\(location): \(detail)")
  }

  private func exchange(
    _ method: String, _ path: String, query: [(String, String)] = [], headers: [String: String] = [:], body: [UInt8]? = nil
  ) throws(StoreError) -> (status: Int, bytes: [UInt8]) {
    guard var components = URLComponents(string: location + path) else {
      throw StoreError(kind: .invalid, text: "Cannot read the address \(location)")
    }
    if !query.isEmpty {
      components.queryItems = query.map { URLQueryItem(name: $0.0, value: $0.1) }
      // A plus means a space to servers, and is allowed in names of refs.
      components.percentEncodedQuery = components.percentEncodedQuery?.replacingOccurrences(of: "+", with: "%2B")
    }
    guard let url = components.string else { throw StoreError(kind: .invalid, text: "Cannot read the address \(location)") }
    var fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
    if let token { fields.add(name: "Authorization", value: "Bearer \(token)") }
    if let transfer, !path.hasPrefix("/v1/ref") || method == "POST" {
      fields.add(name: RemoteTransfers.header, value: transfer.name)
      transfer.isKept.withLock { $0 = true }
    }
    fields.add(name: "Content-Type", value: "application/octet-stream")
    var attemptCount = 1
    while true {
      do {
        let answer = try once(
          HTTPClient.Request(url: url, method: HTTPMethod(rawValue: method), headers: fields, body: body.map { .bytes($0) }))
        if answer.status < 502 || answer.status > 504 || attemptCount == Self.attemptCountMax { return answer }
      } catch {
        guard attemptCount < Self.attemptCountMax, !Self.isHopeless(error) else {
          // Who cannot be reached need not be told either.
          transfer?.isKept.withLock { $0 = false }
          throw StoreError(kind: .io(EIO), text: "Cannot reach \(location): \(Self.reason(of: error))")
        }
      }
      usleep(UInt32(200_000 * attemptCount))
      attemptCount += 1
    }
  }

  private func once(_ request: HTTPClient.Request) throws -> (status: Int, bytes: [UInt8]) {
    let response = try connection.client.execute(request: request).wait()
    return (Int(response.status.code), response.body.map { Array($0.readableBytesView) } ?? [])
  }

  /// Whether nobody is there, so that asking again is of no use.
  private static func isHopeless(_ error: any Error) -> Bool {
    if error is NIOConnectionError || error is NIOSSLError { return true }
    guard let error = error as? HTTPClientError else { return false }
    return error == .invalidURL || error == .emptyHost || error == .connectTimeout
  }

  private static func reason(of error: any Error) -> String {
    if error is NIOSSLError {
      return "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
        ? "its certificate is not of an authority that this system trusts (SSL_CERT_FILE can name a file of others)"
        : "the TLS handshake failed"
    }
    guard let error = error as? NIOConnectionError else { return "\(error)" }
    if let failed = error.connectionErrors.first {
      guard let failure = failed.error as? IOError else { return "\(failed.error)" }
      return String(cString: strerror(failure.errnoCode))
    }
    return "there is no host \(error.host)"
  }
}
