import Columns
import History
import JSON
import Online
import Synchronization

/// The answer to one request: an HTTP status and a JSON body.
public struct OnlineAnswer: Sendable {
  public let status: Int
  public let body: [UInt8]

  public init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  /// `{"detail": text}`, as Feast's clients expect of errors.
  public static func failure(status: Int, _ text: String) -> OnlineAnswer {
    OnlineAnswer(status: status, body: JSON.object(["detail": .string(text)]).canonicalBytes)
  }
}

/// Answers requests for online features from the current generation; safe from any thread.
///
/// A question about a time before an image was built is answered from the leaves of the generation's commit: the first one
/// reads them, later ones find them in memory.
public final class OnlineService: Sendable {
  private struct Served: Sendable {
    let number: Int
    let commit: CommitID
    let generation: Generation
    /// Questions about early times read the leaves of the commit, also after its generation has gone.
    let lease: Lease
  }

  private let repository: Repository
  private let served: Mutex<Served>
  private let historic = Mutex<(commit: CommitID, generation: Generation)?>(nil)

  /// - Throws: `AlmanacError` of kind `notFound` when nothing has been materialized.
  public init(repository: Repository) throws(AlmanacError) {
    self.repository = repository
    let current = try AlmanacError.translating { try repository.currentGeneration() }
    let lease = try repository.lease([current.commit])
    served = Mutex(Served(number: current.number, commit: current.commit, generation: current.generation, lease: lease))
  }

  public var commitText: String { served.withLock { $0.generation.commit } }

  public var generationNumber: Int { served.withLock { $0.number } }

  /// Switches to the generation that is now to be served. - Returns: whether it was another one.
  public func reload() throws(AlmanacError) -> Bool {
    let number = generationNumber
    return try AlmanacError.translating {
      guard try repository.generations.currentNumber() != number else { return false }
      let current = try repository.currentGeneration()
      let lease = try repository.lease([current.commit])
      served.withLock {
        $0 = Served(number: current.number, commit: current.commit, generation: current.generation, lease: lease)
      }
      return true
    }
  }

  /// Answers the body of `POST /get-online-features`.
  public func answer(_ body: UnsafeRawBufferPointer) -> OnlineAnswer {
    do {
      return OnlineAnswer(status: 200, body: try respond(OnlineRequest(body: body)))
    } catch let error as OnlineError {
      return .failure(status: error.httpStatus, error.description)
    } catch {
      return .failure(status: 500, AlmanacError(error).description)
    }
  }

  /// The same with errors thrown, for the command line.
  package func answer(_ body: JSON) throws(AlmanacError) -> [UInt8] {
    do {
      return try respond(OnlineRequest(body))
    } catch let error as OnlineError {
      let kind: AlmanacError.Kind =
        switch error.kind {
        case .notFound: .notFound
        case .malformed, .unprocessable, .beforeBuild: .failed
        case .damaged, .version, .unsupported: .io
        }
      throw AlmanacError(kind, error.description)
    } catch {
      throw AlmanacError(error)
    }
  }

  private func respond(_ request: OnlineRequest) throws -> [UInt8] {
    let current = served.withLock { $0 }
    let now = Repository.nowMicros()
    do {
      return try current.generation.answer(request, now: now)
    } catch {
      guard error.kind == .beforeBuild else { throw error }
    }
    return try historicGeneration(of: current.commit).answer(request, now: now)
  }

  /// Held while it is built, so that a burst of old questions reads the leaves once.
  private func historicGeneration(of commit: CommitID) throws -> Generation {
    try historic.withLock { cached in
      if let cached, cached.commit == commit { return cached.generation }
      let generation = try repository.historicGeneration(of: commit)
      cached = (commit, generation)
      return generation
    }
  }
}
