/// What gc may take.
package struct GarbageRules: Hashable, Sendable {
  /// Commits that a ref stood for within this time are kept.
  package var retentionMicros: Int64 = 90 * 86_400_000_000
  /// What is younger is kept: it may belong to a commit that is under way.
  package var graceMicros: Int64 = 3_600_000_000
  /// A pack of which less than this share is in use is written anew without the rest.
  package var packShareMin = 0.5

  package init() {}
}

/// What gc has found, and taken unless it was asked to look only.
package struct GarbageReport: Hashable, Sendable {
  package struct Item: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
      case leaf, tail, pack, temporary, lease
      /// A pack that is written anew with what is in use of it.
      case repacked
    }
    package let kind: Kind
    /// Relative to the store.
    package let path: String
    /// What going away of it sets free.
    package let byteCount: Int
  }

  package internal(set) var items: [Item] = []
  /// Objects that nothing reaches, by kind.
  package internal(set) var objectCounts: [String: Int] = [:]
  package internal(set) var isDone = false

  package var byteCount: Int { items.reduce(0) { $0 + $1.byteCount } }
}
