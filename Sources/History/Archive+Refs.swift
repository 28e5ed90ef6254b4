import Objects

package enum RefKind: UInt8, Sendable {
  case branch = 0
  case tag = 1
  /// What a branch of a remote repository stood for when it was last asked: `origin/main`.
  case tracking = 2

  package var name: String {
    switch self {
    case .branch: "branch"
    case .tag: "tag"
    case .tracking: "remote branch"
    }
  }
}

package struct Ref: Hashable, Sendable {
  package let name: String
  package let kind: RefKind
  package let commit: CommitID

  package init(name: String, kind: RefKind, commit: CommitID) {
    self.name = name
    self.kind = kind
    self.commit = commit
  }
}

/// One move of a ref.
package struct RefLogEntry: Hashable, Sendable {
  package let ref: String
  /// Nil when the move made the ref.
  package let old: CommitID?
  /// Nil when the move deleted the ref.
  package let new: CommitID?
  /// Microseconds since 1970 UTC; greater than that of every earlier move of this ref.
  package let timeMicros: Int64
  package let reason: String

  init(_ record: RefLogRecord) {
    ref = record.ref
    old = record.old.map { CommitID(bytes: $0) }
    new = record.new.map { CommitID(bytes: $0) }
    timeMicros = record.timeMicros
    reason = record.reason
  }
}

extension Archive {
  static let headSetting = "head"
  /// The current branch of a new repository.
  package static let firstHead = "main"

  /// Branches, tags and branches of remote repositories by name.
  package func refs() throws(StoreError) -> [Ref] {
    var refs: [Ref] = []
    for record in try catalog.refs() { refs.append(try ref(record)) }
    return refs
  }

  package func ref(named name: String) throws(StoreError) -> Ref? {
    guard let record = try catalog.ref(named: name) else { return nil }
    return try ref(record)
  }

  private func ref(_ record: RefRecord) throws(StoreError) -> Ref {
    guard let kind = RefKind(rawValue: record.kind) else {
      throw damagedCatalog("\(record.name) is a ref of the unknown kind \(record.kind)")
    }
    return Ref(name: record.name, kind: kind, commit: CommitID(bytes: record.target))
  }

  func damagedCatalog(_ what: String) -> StoreError {
    StoreError(
      kind: .corrupt,
      text: "Cannot read the catalog in \(volume.absolutePath("")): \(what); `almanac fsck --repair` makes the catalog anew")
  }

  /// - Throws: `exists` when there is a ref of that name; `notFound` when the commit is not stored; `invalid`.
  package func createBranch(_ name: String, at commit: CommitID, reason: String = "branch") throws(StoreError) {
    try createRef(name, .branch, at: commit, reason: reason)
  }

  /// As `createBranch`.
  package func createTag(_ name: String, at commit: CommitID, reason: String = "tag") throws(StoreError) {
    try createRef(name, .tag, at: commit, reason: reason)
  }

  private func createRef(_ name: String, _ kind: RefKind, at commit: CommitID, reason: String) throws(StoreError) {
    try RefName.check(name)
    let existing = try ref(named: name)
    if existing == nil {
      // Shared: the commit must still be there when the ref names it.
      let outcome = try sharingObjects { () throws(StoreError) in
        _ = try self.commit(commit)
        return try move(RefMove(name: name, kind: kind.rawValue, expecting: nil, new: commit.bytes, reason: reason))
      }
      if case .moved = outcome { return }
    }
    let found = existing?.kind.name ?? RefKind.branch.name
    throw StoreError(kind: .exists, text: "Cannot make \(name): there is a \(found) of that name")
  }

  /// Lets a ref stand for another stored commit, if it stands for the expected one.
  /// - Throws: `notFound` when there is no such ref or commit.
  package func moveRef(
    _ name: String, to commit: CommitID, expecting: CommitID, reason: String
  ) throws(StoreError) -> PublishOutcome {
    guard let current = try ref(named: name) else { throw Self.noRef(name) }
    return try sharingObjects { () throws(StoreError) in
      _ = try self.commit(commit)
      return try move(
        RefMove(name: name, kind: current.kind.rawValue, expecting: expecting.bytes, new: commit.bytes, reason: reason))
    }
  }

  /// Deletes a ref; its log entries stay.
  /// - Parameter expecting: nil: whatever it stands for.
  /// - Throws: `notFound` when there is no such ref; `invalid` for the current branch.
  package func deleteRef(
    _ name: String, expecting: CommitID? = nil, reason: String = "delete"
  ) throws(StoreError) -> PublishOutcome {
    guard let current = try ref(named: name) else { throw Self.noRef(name) }
    let head = try headBranch()
    if current.kind == .branch && head == name {
      throw StoreError(kind: .invalid, text: "Cannot delete \(name): it is the current branch; make another one current first")
    }
    return try move(
      RefMove(
        name: name, kind: current.kind.rawValue, expecting: (expecting ?? current.commit).bytes, new: nil, reason: reason))
  }

  /// The current branch, which may have no commit yet.
  package func headBranch() throws(StoreError) -> String {
    guard let name = try catalog.setting(Self.headSetting) else { return Self.firstHead }
    guard RefName.isValid(name) else { throw damagedCatalog("\"\(name.prefix(40))\" cannot be the name of the current branch") }
    return name
  }

  /// - Throws: `notFound` unless the branch exists; any name is fine while the repository has no commits.
  package func setHead(_ branch: String) throws(StoreError) {
    try RefName.check(branch)
    let all = try refs()
    guard all.isEmpty || all.contains(where: { $0.name == branch && $0.kind == .branch }) else {
      throw StoreError(kind: .notFound, text: "Cannot make \(branch) the current branch: there is no branch of that name")
    }
    try catalog.setSetting(Self.headSetting, to: branch)
  }

  /// Moves of one ref, or of all, the oldest first.
  package func reflog(_ ref: String?) throws(StoreError) -> [RefLogEntry] {
    try catalog.refLog(ref: ref).map(RefLogEntry.init)
  }

  static func noRef(_ name: String) -> StoreError {
    StoreError(kind: .notFound, text: "Cannot find \(name): there is no branch or tag of that name")
  }
}

enum RefName {
  static let byteCountMax = 200

  static func isValid(_ name: String) -> Bool { (try? check(name)) != nil }

  /// - Throws: `invalid` unless the name can be told from every other part of a revision and is safe in URLs and on a command line.
  static func check(_ name: String) throws(StoreError) {
    func refuse(_ reason: String) -> StoreError {
      StoreError(kind: .invalid, text: "Cannot use \"\(name)\" as the name of a branch or tag: \(reason)")
    }
    let bytes = Array(name.utf8)
    guard !bytes.isEmpty, bytes.count <= byteCountMax else { throw refuse("it needs 1 to \(byteCountMax) bytes") }
    guard name != "HEAD" else { throw refuse("HEAD stands for the current branch") }
    let forbidden = Set("~^:@{}[]?*\\\" ".utf8)
    if let byte = bytes.first(where: { $0 < 0x21 || $0 == 0x7F || forbidden.contains($0) }) {
      throw refuse("it has the character \(byte < 0x21 || byte == 0x7F ? "with code \(byte)" : String(UnicodeScalar(byte)))")
    }
    guard bytes[0] != UInt8(ascii: "-") else { throw refuse("it starts with a hyphen") }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".") && !$0.contains("..") }) else {
      throw refuse("a part between slashes is empty, or starts or ends with a point, or has two in a row")
    }
    guard Hash256(hex: name) == nil else { throw refuse("it looks like a commit id") }
  }
}
