import Objects

/// Follows what objects name and goes on where one of them cannot be read.
struct ObjectWalk {
  private let archive: Archive
  /// Known to be damaged or missing, whatever the catalog says.
  private let lost: Set<ObjectKey>
  /// What each object names; nil for one that cannot be read.
  private var references: [ObjectKey: [ObjectKey]?] = [:]
  private var wholeness: [ObjectKey: Bool] = [:]

  init(_ archive: Archive, lost: Set<ObjectKey>) {
    self.archive = archive
    self.lost = lost
  }

  /// The objects that these reach, themselves included, and those of them that cannot be read.
  /// - Complexity: one read for each object that has not been met before.
  mutating func reach(of starts: [ObjectKey]) -> (reached: Set<ObjectKey>, losses: Set<ObjectKey>) {
    var reached = Set(starts)
    var losses: Set<ObjectKey> = []
    var open = starts
    while let key = open.popLast() {
      guard let names = named(by: key) else {
        losses.insert(key)
        continue
      }
      for name in names where reached.insert(name).inserted { open.append(name) }
    }
    return (reached, losses)
  }

  /// What of a commit, with all that is behind it, cannot be read.
  mutating func losses(of commit: CommitID) -> Set<ObjectKey> {
    reach(of: [ObjectKey(kind: .commit, id: commit.hash)]).losses
  }

  /// What of a commit cannot be read, without the commits behind it.
  mutating func stateLosses(of commit: CommitID) -> Set<ObjectKey> {
    let key = ObjectKey(kind: .commit, id: commit.hash)
    guard let names = named(by: key) else { return [key] }
    return reach(of: names.filter { $0.kind != .commit }).losses
  }

  /// What of a commit cannot be read that could be, or was not there, at the commits before it.
  mutating func ownLosses(of commit: CommitID) -> Set<ObjectKey> {
    let key = ObjectKey(kind: .commit, id: commit.hash)
    guard let names = named(by: key) else { return [key] }
    return names.filter { $0.kind == .commit }.reduce(stateLosses(of: commit)) { own, parent in
      own.subtracting(stateLosses(of: CommitID(bytes: parent.id.bytes)))
    }
  }

  /// Whether a commit can be read with its definitions, verdicts and datasets, whatever is behind it.
  mutating func isStateWhole(_ commit: CommitID) -> Bool {
    guard let names = named(by: ObjectKey(kind: .commit, id: commit.hash)) else { return false }
    return names.allSatisfy { $0.kind == .commit || isWhole($0) }
  }

  /// Whether an object can be read with everything that it reaches.
  mutating func isWhole(_ start: ObjectKey) -> Bool {
    var open = [start]
    while let key = open.last {
      if wholeness[key] != nil {
        open.removeLast()
        continue
      }
      guard let names = named(by: key) else {
        wholeness[key] = false
        continue
      }
      // What an object names is looked at first; ids are hashes of what they name, so that there are no circles.
      let unknown = names.filter { wholeness[$0] == nil }
      if unknown.isEmpty { wholeness[key] = names.allSatisfy { wholeness[$0] == true } }
      open += unknown
    }
    return wholeness[start] ?? false
  }

  /// What an object names; nil if it cannot be read.
  mutating func named(by key: ObjectKey) -> [ObjectKey]? {
    if let known = references[key] { return known }
    let found = isReadable(key) ? try? archive.references(of: key) : nil
    references[key] = .some(found)
    return found
  }

  private func isReadable(_ key: ObjectKey) -> Bool {
    guard !lost.contains(key), let record = try? archive.catalog.object(kind: key.kind.rawValue, id: key.id.bytes) else { return false }
    switch key.kind {
    case .leaf, .tail: return (try? archive.volume.byteCount(Archive.path(of: key))) == record.byteCount
    case .blob: return (try? archive.content(.blob, key.id)) != nil
    case .node, .root, .commit: return true
    }
  }
}
