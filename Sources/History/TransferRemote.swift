import Objects

/// A repository that objects and refs come from or go to: this one, one in another folder, one behind a server.
///
/// `Transfer` needs nothing else. Every call may be repeated: what was received stays received, registering what is
/// registered changes nothing, a ref that stands where it should has moved. Calls may come from any thread and block it.
/// An object that a repository has registered is there with everything beneath it: that is what lets a transfer skip it.
package protocol Remote: Sendable {
  /// For messages: a folder or an address.
  var location: String { get }

  func state() throws(StoreError) -> RemoteState

  /// Moves of a branch or tag after a time, the oldest first; perhaps not all at once, but some if there are any.
  func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep]

  /// Commits that those wanted reach and those excluded do not, each after one that names it; perhaps not all at once, but
  /// some of those wanted. Excluded ids that are unknown here are ignored; commits that need not travel may be among the result.
  func commits(from wanted: [CommitID], excluding: [CommitID]) throws(StoreError) -> [TransferObject]

  /// Those of the objects that are not registered here.
  func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey]

  /// The objects in the order asked for; perhaps not all at once, but the first of them at least.
  /// - Throws: `notFound` for one that is not here.
  func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject]

  /// A range of the file of a leaf or tail. - Throws: `notFound`, `corrupt`.
  func bytes(of key: ObjectKey, _ range: Range<Int>) throws(StoreError) -> [UInt8]

  /// How much of a file has been received and not been registered.
  func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int

  /// Takes a piece of a file.
  /// - Returns: how much there is now. The piece is not taken when it does not start where the last one ended.
  func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int

  /// Checks and registers objects, durably, all or none; files must have been received.
  /// - Throws: `corrupt` when bytes are not what an id or checksum names; a damaged file is then forgotten. `notFound` when an
  ///   object names one that is neither among them nor registered.
  func register(_ objects: [TransferObject]) throws(StoreError)

  /// Moves a branch or tag by compare-and-swap.
  /// - Throws: `notFound` when the commit is not stored (any more); nothing is changed then.
  func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome

  /// The same repository for one transfer: until `endWork` a gc there leaves the commits that are asked for, and whatever is said
  /// not to be missing or is registered. Nothing depends on it but how often a transfer beside a gc begins again, so a
  /// repository that cannot do it gives itself.
  func beginWork() throws(StoreError) -> any Remote

  /// Gives up what was kept; no error if it cannot be, because it ends by itself.
  func endWork()
}

extension Remote {
  package func beginWork() throws(StoreError) -> any Remote { self }
  package func endWork() {}

  /// Runs the body with this repository for one transfer. - Throws: what the body throws.
  package func working<Result>(_ body: (any Remote) throws -> Result) throws -> Result {
    let work = try beginWork()
    defer { work.endWork() }
    return try body(work)
  }
}

/// What a repository's refs stand for.
package struct RemoteState: Hashable, Sendable {
  /// Branches and tags by name.
  package let refs: [Ref]
  /// The current branch, which may have no commit yet.
  package let head: String

  package init(refs: [Ref], head: String) {
    self.refs = refs
    self.head = head
  }

  package func ref(named name: String) -> Ref? { refs.first { $0.name == name } }
}

/// One move of a ref as its log tells it to another repository.
package struct RefStep: Hashable, Sendable {
  package let old: CommitID?
  package let new: CommitID?
  /// When it happened where it happened, microseconds since 1970 UTC.
  package let timeMicros: Int64
  package let reason: String

  package init(old: CommitID?, new: CommitID?, timeMicros: Int64, reason: String) {
    self.old = old
    self.new = new
    self.timeMicros = timeMicros
    self.reason = reason
  }
}

/// The wish to let a branch or tag of another repository stand for a commit that is stored there.
package struct RefUpdate: Hashable, Sendable {
  package let name: String
  package let kind: RefKind
  /// Nil: it must not exist.
  package let expecting: CommitID?
  package let new: CommitID
  /// Also when the commit does not come after the one it replaces.
  package let isForced: Bool
  package let reason: String
  /// How the ref got there where the wish comes from, the oldest first.
  package let steps: [RefStep]

  package init(
    name: String, kind: RefKind, expecting: CommitID?, new: CommitID, isForced: Bool, reason: String, steps: [RefStep]
  ) {
    self.name = name
    self.kind = kind
    self.expecting = expecting
    self.new = new
    self.isForced = isForced
    self.reason = reason
    self.steps = steps
  }
}

package enum RefUpdateOutcome: Hashable, Sendable {
  /// Also when it stood there already.
  case moved
  /// It stands for something else than expected; nil: it does not exist.
  case lostRace(current: CommitID?)
  /// The commit does not come after the one that the ref stands for.
  case notFastForward
}
