import Almanac
import Dispatch
import Hummingbird
import JSON
import NIOCore

/// Who may do what with the repository over HTTP.
public struct RemoteAccess: Sendable {
  /// Without it pushes are refused.
  public let allowsPush: Bool
  /// Asked of every request under `/v1` if there is one.
  public let token: String?

  public init(allowsPush: Bool = false, token: String? = nil) {
    self.allowsPush = allowsPush
    self.token = token
  }
}

/// The repository as another one's remote, under `/v1`: `Remote` call by call.
struct RemoteRoutes: Sendable {
  let remote: any Remote
  let access: RemoteAccess
  let transfers: RemoteTransfers
  /// The calls block, on disks and locks; the threads of the server do not.
  private let queue = DispatchQueue(label: "almanac.remote", attributes: .concurrent)

  init(remote: any Remote, access: RemoteAccess) {
    self.remote = remote
    self.access = access
    transfers = RemoteTransfers(remote)
  }

  /// Every path and its methods.
  static let methods: [String: [HTTPRequest.Method]] = [
    "/v1/refs": [.get, .post], "/v1/reflog": [.get], "/v1/commits": [.post], "/v1/objects": [.post], "/v1/objects/missing": [.post],
    "/v1/objects/read": [.post], "/v1/files/:kind/:id": [.get], "/v1/incoming/:kind/:id": [.get, .put],
    "/v1/transfers/:name": [.delete],
  ]

  func add(to router: Router<BasicRequestContext>) {
    let (remote, transfers) = (remote, transfers)
    router.get("/v1/refs") { request, _ in
      await answer(request) { _, _ throws(StoreError) in .json(RemoteWire.json(try remote.state())) }
    }
    router.post("/v1/refs") { request, _ in
      await answer(request, isPush: true) { body, remote throws(StoreError) in
        let update = try RemoteWire.update(RemoteWire.parse(body))
        let outcome = try remote.move(update)
        return .json(RemoteWire.json(outcome, of: update), status: outcome == .moved ? .ok : .conflict)
      }
    }
    router.get("/v1/reflog") { request, _ in
      let ref = request.uri.queryParameters["ref"].map(String.init)
      let after = request.uri.queryParameters["after"].flatMap { Int64($0) }
      return await answer(request) { _, _ throws(StoreError) in
        guard let ref, let after else { throw RemoteWire.malformed("expected the parameters ref and after") }
        return .json(["moves": RemoteWire.json(try remote.moves(of: ref, afterMicros: after))])
      }
    }
    router.post("/v1/commits") { request, _ in
      await answer(request) { body, remote throws(StoreError) in
        let json = try RemoteWire.parse(body)
        let commits = try remote.commits(
          from: RemoteWire.commits(json["wanted"], "wanted"), excluding: RemoteWire.commits(json["excluding"], "excluding"))
        return .bytes(ObjectPack.encode(commits))
      }
    }
    router.post("/v1/objects/missing") { request, _ in
      await answer(request) { body, remote throws(StoreError) in
        let keys = try RemoteWire.keys(RemoteWire.parse(body)["objects"], "objects")
        return .json(["missing": RemoteWire.json(try remote.missing(keys))])
      }
    }
    router.post("/v1/objects/read") { request, _ in
      await answer(request) { body, remote throws(StoreError) in
        .bytes(ObjectPack.encode(try remote.objects(RemoteWire.keys(RemoteWire.parse(body)["objects"], "objects"))))
      }
    }
    router.post("/v1/objects") { request, _ in
      await answer(request, isPush: true, bodyByteCountMax: RemoteWire.packByteCountMax) { body, remote throws(StoreError) in
        let objects = try ObjectPack.objects(decoding: body, source: "the request")
        try remote.register(objects)
        return .json(["objects": .int(Int64(objects.count))])
      }
    }
    router.get("/v1/incoming/:kind/:id") { request, context in
      let file = incomingFile(request, context)
      return await answer(request, isPush: true) { _, remote throws(StoreError) in
        guard let file else { throw RemoteWire.malformed("expected a leaf or tail with the parameters byteCount and sha256") }
        return .json(["byteCount": .int(Int64(try remote.receivedByteCount(of: file.key, file.record)))])
      }
    }
    router.put("/v1/incoming/:kind/:id") { request, context in
      let file = incomingFile(request, context)
      let offset = request.uri.queryParameters["offset"].flatMap { Int($0) }
      return await answer(request, isPush: true, bodyByteCountMax: RemoteWire.pieceByteCountMax) { body, remote throws(StoreError) in
        guard let file, let offset, offset >= 0 else {
          throw RemoteWire.malformed("expected a leaf or tail with the parameters byteCount, sha256 and offset")
        }
        return .json(["byteCount": .int(Int64(try remote.receive(body, at: offset, of: file.key, file.record)))])
      }
    }
    router.get("/v1/files/:kind/:id") { request, context in await file(request, context) }
    router.delete("/v1/transfers/:name") { request, context in
      let name = context.parameters.get("name") ?? ""
      return await answer(request) { _, _ throws(StoreError) in
        transfers.end(name)
        return .json([:])
      }
    }
    // A known path with another method.
    for (path, methods) in Self.methods {
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] where !methods.contains(method) {
        router.on(RouterPath(path), method: method) { request, _ in
          Response.json(["detail": .string("There is no \(request.method.rawValue) \(request.uri.path)")], status: .methodNotAllowed)
        }
      }
    }
  }

  // MARK: Answering

  /// Nil when the request may go on.
  private func refusal(_ request: Request, isPush: Bool) -> Response? {
    if let token = access.token, !Self.isEqual(request.headers[.authorization] ?? "", "Bearer \(token)") {
      return .json(
        ["detail": "This server asks for a token: Authorization: Bearer …", "kind": "refused"], status: .unauthorized,
        headers: [.wwwAuthenticate: "Bearer"])
    }
    guard isPush && !access.allowsPush else { return nil }
    return .json(
      ["detail": "This server does not take pushes; it was started without --allow-push", "kind": "refused"], status: .forbidden)
  }

  /// In a time that says nothing about where the texts differ.
  private static func isEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    return a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// - Parameter body: gets the request's body and the repository for the transfer that the request belongs to.
  private func answer(
    _ request: Request, isPush: Bool = false, bodyByteCountMax: Int = RemoteWire.questionByteCountMax,
    _ body: @escaping @Sendable ([UInt8], any Remote) throws(StoreError) -> Response
  ) async -> Response {
    if let refusal = refusal(request, isPush: isPush) { return refusal }
    let bytes: [UInt8]
    do {
      bytes = Array(buffer: try await request.body.collect(upTo: bodyByteCountMax))
    } catch is NIOTooManyBytesError {
      return .json(["detail": .string("The request body is longer than \(bodyByteCountMax) bytes")], status: .contentTooLarge)
    } catch {
      return .json(["detail": .string("The request body did not arrive: \(error)")], status: .badRequest)
    }
    let (transfers, transfer) = (transfers, Self.transfer(request))
    return await run { () throws(StoreError) in try body(bytes, transfers.remote(for: transfer)) }.response
  }

  /// What the request says that it belongs to. Looking at refs and their logs, and the end, begin no transfer.
  private static func transfer(_ request: Request) -> String? {
    let isLook = request.method == .delete || request.method == .get && ["/v1/refs", "/v1/reflog"].contains(request.uri.path)
    return isLook ? nil : request.headers.first { $0.name.canonicalName == RemoteTransfers.header.lowercased() }?.value
  }

  /// Away from the server's threads.
  private func run<Value: Sendable>(_ body: @escaping @Sendable () throws(StoreError) -> Value) async -> Result<Value, StoreError> {
    await withCheckedContinuation { continuation in
      queue.async {
        let result: Result<Value, StoreError>
        do throws(StoreError) { result = .success(try body()) } catch { result = .failure(error) }
        continuation.resume(returning: result)
      }
    }
  }

  // MARK: Files

  private func incomingFile(_ request: Request, _ context: BasicRequestContext) -> (key: ObjectKey, record: FileRecord)? {
    guard let key = fileKey(context), let count = request.uri.queryParameters["byteCount"].flatMap({ Int($0) }), count > 0,
      let sum = request.uri.queryParameters["sha256"].flatMap({ ObjectHash(hex: $0) })
    else { return nil }
    return (key, FileRecord(byteCount: count, fileSHA256: sum.bytes, digests: []))
  }

  private func fileKey(_ context: BasicRequestContext) -> ObjectKey? {
    guard let kind = context.parameters.get("kind"), let id = context.parameters.get("id"),
      let key = RemoteWire.key(kind: kind, id: id), key.kind.hasOwnFile
    else { return nil }
    return key
  }

  /// How much of a file is in memory while it is sent.
  private static let sendByteCount = 1 << 20

  /// A file, or the range of it that the request names.
  private func file(_ request: Request, _ context: BasicRequestContext) async -> Response {
    if let refusal = refusal(request, isPush: false) { return refusal }
    guard let key = fileKey(context) else {
      return .json(["detail": .string("There is no GET \(request.uri.path)")], status: .notFound)
    }
    let (transfers, transfer) = (transfers, Self.transfer(request))
    let found = await run { () throws(StoreError) in try transfers.remote(for: transfer) }
    guard case .success(let remote) = found else { return found.map { _ in Response(status: .ok) }.response }
    let described = await run { () throws(StoreError) -> FileRecord? in
      try remote.objects([key]).first.map { (object) throws(StoreError) in try FileRecord(decoding: object.bytes, object: object.name) }
    }
    guard case .success(let record?) = described else {
      return described.map { _ in Response.json(["detail": "The file is not known"], status: .notFound) }.response
    }
    var range = 0..<record.byteCount
    if let text = request.headers[.range] {
      guard let asked = Self.range(text), asked.upperBound <= record.byteCount else {
        return .json(
          ["detail": .string("The range \(text) is not within the file's \(record.byteCount) bytes")], status: .rangeNotSatisfiable)
      }
      range = asked
    }
    let body = ResponseBody(contentLength: range.count) { [range] writer in
      var start = range.lowerBound
      while start < range.upperBound {
        let piece = start..<min(start + Self.sendByteCount, range.upperBound)
        let bytes = try await run { () throws(StoreError) in try remote.bytes(of: key, piece) }.get()
        try await writer.write(ByteBuffer(bytes: bytes))
        start = piece.upperBound
      }
      try await writer.finish(nil)
    }
    var headers: HTTPFields = [.contentType: "application/octet-stream", .acceptRanges: "bytes"]
    if range.count < record.byteCount {
      headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(record.byteCount)"
    }
    return Response(status: range.count < record.byteCount ? .partialContent : .ok, headers: headers, body: body)
  }

  /// `bytes=0-99`; nil for any other form.
  static func range(_ text: String) -> Range<Int>? {
    guard text.hasPrefix("bytes=") else { return nil }
    let ends = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first >= 0, first <= last, last < Int.max else { return nil }
    return first..<last + 1
  }
}

extension Response {
  static func json(_ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
    var headers = headers
    headers[.contentType] = "application/json"
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.canonicalBytes)))
  }

  static func bytes(_ bytes: [UInt8]) -> Response {
    Response(status: .ok, headers: [.contentType: "application/octet-stream"], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

extension Result where Success == Response, Failure == StoreError {
  /// The answer, or the error as JSON.
  fileprivate var response: Response {
    switch self {
    case .success(let response): return response
    case .failure(let error):
      let status = RemoteWire.kinds.first { $0.kind == error.kind }?.status ?? 500
      return .json(RemoteWire.json(error), status: .init(code: status))
    }
  }
}
