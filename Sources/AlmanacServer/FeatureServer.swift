import Almanac
import Glibc
import Hummingbird
import JSON
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP server: Feast's feature-server protocol over the served generation, health and metrics, and the repository as a
/// remote of others.
///
/// One handler a request, on the event loop that read it; lookups go to memory-mapped images.
public struct FeatureServer: Sendable {
  private let online: ServedFeatures
  private let remote: RemoteRoutes
  private let host: String
  private let port: Int
  private let metrics = RequestMetrics()

  /// A request body may name many entities, but not fill the memory.
  private static let bodyByteCountMax = 8 << 20

  /// Features are served once there is a generation; the repository is from the start.
  public init(repository: Repository, host: String, port: Int, access: RemoteAccess = RemoteAccess()) throws(AlmanacError) {
    online = try ServedFeatures(repository: repository)
    remote = RemoteRoutes(remote: repository.asRemote, access: access)
    self.host = host
    self.port = port
  }

  /// Of the commit whose features are served; nil before the first `materialize`.
  public var commitText: String? { online.service?.commitText }

  /// Serves until the process is asked to end (SIGINT, SIGTERM); requests under way are answered first.
  /// - Parameter onStart: called once with the bound address, for example `127.0.0.1:6566`.
  public func run(onStart: @escaping @Sendable (String) -> Void) async throws {
    var logger = Logger(label: "almanac.server")
    logger.logLevel = .warning
    let host = host
    let application = Application(
      router: router(), configuration: .init(address: .hostname(host, port: port), serverName: "almanac"),
      onServerRunning: { channel in onStart("\(host):\(channel.localAddress?.port ?? 0)") }, logger: logger)
    let reloading = GenerationReload(online: online, transfers: remote.transfers)
    var configuration = ServiceGroupConfiguration(
      services: [application, reloading], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    // A client that never finishes its request cannot keep the server from ending.
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    let group = ServiceGroup(configuration: configuration)
    do {
      try await group.run()
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw AlmanacError(
        .io, "Cannot listen on \(host):\(port): the address is already in use", hint: "Choose another port with --port.")
    } catch let error as IOError {
      throw AlmanacError(.io, "Cannot listen on \(host):\(port): \(error.description)")
    } catch let error as SocketAddressError.UnknownHost {
      throw AlmanacError(
        .io, "Cannot listen on \(host):\(port): \(error.errorDescription)", hint: "Name an address of this machine with --host.")
    }
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: ErrorsAreJSON())
    let online = online
    let metrics = metrics
    router.post("/get-online-features") { request, _ -> Response in
      let started = ContinuousClock.now
      let answer: OnlineAnswer
      do {
        var request = request
        let body = try await request.collectBody(upTo: Self.bodyByteCountMax)
        answer = body.withUnsafeReadableBytes { online.service?.answer($0) ?? ServedFeatures.nothing }
      } catch {
        answer = .failure(status: 413, "The request body is longer than \(Self.bodyByteCountMax) bytes")
      }
      metrics.note(status: answer.status, duration: ContinuousClock.now - started)
      return Self.response(answer)
    }
    router.get("/health") { _, _ in
      Self.response(OnlineAnswer(status: 200, body: Array("{\"status\":\"ok\"}".utf8)))
    }
    router.get("/metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(
          byteBuffer: ByteBuffer(
            string: metrics.text(commit: online.service?.commitText ?? "", generation: online.service?.generationNumber ?? 0))))
    }
    remote.add(to: router)
    // Every other method and path, so that the answer is JSON there too.
    let served: [String: HTTPRequest.Method] = ["/get-online-features": .post, "/health": .get, "/metrics": .get]
    for path in ["/", "/**"] + served.keys {
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] where served[path] != method {
        let status = served[path] == nil ? 404 : 405
        router.on(RouterPath(path), method: method) { request, _ in
          Self.response(.failure(status: status, "There is no \(request.method.rawValue) \(request.uri.path)"))
        }
      }
    }
    return router
  }

  private static func response(_ answer: OnlineAnswer) -> Response {
    Response(
      status: .init(code: answer.status), headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
  }
}

/// Answers in JSON also where no route does.
private struct ErrorsAreJSON: RouterMiddleware {
  typealias Context = BasicRequestContext

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError {
      let text = error.body ?? "There is no \(request.method.rawValue) \(request.uri.path)"
      return .json(["detail": .string(text)], status: error.status)
    }
  }
}

/// The generation that is served, from the moment there is one.
private final class ServedFeatures: Sendable {
  static let nothing = OnlineAnswer.failure(status: 404, "Nothing has been materialized yet; run `almanac materialize`")

  private let repository: Repository
  private let current: Mutex<OnlineService?>

  init(repository: Repository) throws(AlmanacError) {
    self.repository = repository
    current = Mutex(try Self.service(of: repository))
  }

  var service: OnlineService? { current.withLock { $0 } }

  private static func service(of repository: Repository) throws(AlmanacError) -> OnlineService? {
    do throws(AlmanacError) {
      return try OnlineService(repository: repository)
    } catch {
      guard error.kind == .notFound else { throw error }
      return nil
    }
  }

  /// - Returns: whether another generation is served now.
  func reload() throws(AlmanacError) -> Bool {
    if let service { return try service.reload() }
    guard let first = try Self.service(of: repository) else { return false }
    current.withLock { $0 = first }
    return true
  }
}

/// Looks once a second whether another generation is to be served, and whether transfers have fallen silent.
private struct GenerationReload: Service {
  let online: ServedFeatures
  let transfers: RemoteTransfers

  func run() async throws {
    var logger = Logger(label: "almanac.server")
    logger.logLevel = .info
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
      transfers.endIdle()
      do {
        if try online.reload(), let service = online.service { logger.info("Serving commit \(service.commitText)") }
      } catch {
        logger.error("Cannot load the new generation, the old one stays: \(error)")
      }
    }
  }
}
