/// What a check of a repository has found.
package struct CheckReport: Hashable, Sendable {
  package struct Problem: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable {
      /// Something is lost, or not what it should be.
      case damage
      /// What a crash leaves, and the next write or gc clears away.
      case note
    }

    package let severity: Severity
    /// "leaf 12ab…", "the ref log".
    package let object: String
    /// Where it is, relative to the store; empty for what is in no file.
    package let path: String
    package let detail: String
    /// What names it: the rows that cannot be read.
    package internal(set) var touches: [Touch] = []

    package init(_ severity: Severity, _ object: String, path: String, _ detail: String, touches: [Touch] = []) {
      self.severity = severity
      self.object = object
      self.path = path
      self.detail = detail
      self.touches = touches
    }
  }

  package struct Touch: Hashable, Sendable {
    package let commit: CommitID
    /// Nil when the whole commit is touched.
    package let dataset: String?
    package let rowCount: Int

    package init(commit: CommitID, dataset: String?, rowCount: Int) {
      self.commit = commit
      self.dataset = dataset
      self.rowCount = rowCount
    }
  }

  package internal(set) var problems: [Problem] = []
  /// Objects that were read and compared, by kind.
  package internal(set) var objectCounts: [String: Int] = [:]
  package internal(set) var packCount = 0
  package internal(set) var moveCount = 0
  /// Bytes that were read.
  package internal(set) var byteCount = 0
  /// What a repair has done, a sentence each.
  package internal(set) var repairs: [String] = []
  /// What a repair tried and could not do, a sentence each.
  package internal(set) var unrepaired: [String] = []

  package init() {}

  package var isDamaged: Bool { problems.contains { $0.severity == .damage } }

  package mutating func prepend(repairs done: [String]) { repairs = done + repairs }

  package mutating func add(_ problem: Problem) { problems.append(problem) }
}

/// What the rows of a leaf's or tail's file say, whatever the catalog says of it.
package struct FileIdentity: Hashable, Sendable {
  /// The id that a leaf or tail of these rows has.
  package let hash: Hash256
  package let rowCount: Int
  package let digests: [UInt8]

  package init(hash: Hash256, rowCount: Int, digests: [UInt8]) {
    self.hash = hash
    self.rowCount = rowCount
    self.digests = digests
  }
}
