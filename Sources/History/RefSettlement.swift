import Objects

/// What refs are to stand for when moves are taken over that the ref log has and the catalog has not.
///
/// A copy of a repository that was taken while somebody wrote may have the log of later moves and not what they lead to. The
/// moves are facts and are kept; but a ref that would stand for less than before is put back by one more move.
struct RefSettlement {
  /// To be appended to the moves.
  private(set) var corrections: [RefLogRecord] = []
  /// A sentence for each.
  private(set) var sentences: [String] = []

  private let moves: [RefLogRecord]
  private let nowMicros: Int64

  /// - Parameters:
  ///   - moves: all of the log, the oldest first.
  ///   - found: what the refs stood for before, as far as there was a catalog that said so.
  ///   - names: of the refs that may stand for something else now.
  ///   - isStored: whether a commit is there itself.
  ///   - losses: what of a commit cannot be read, with all that it reaches.
  ///   - isLater: whether what a ref stood for, though the log does not know of it, comes after what the log says.
  init(
    _ moves: [RefLogRecord], found: [String: RefRecord], names: Set<String>, nowMicros: Int64, isStored: (CommitID) -> Bool,
    losses: (CommitID) -> Set<ObjectKey>, isLater: (_ before: CommitID, _ last: CommitID) -> Bool = { _, _ in false }
  ) {
    self.moves = moves
    self.nowMicros = nowMicros
    for name in names.sorted() {
      let own = moves.filter { $0.ref == name }
      let last = own.last?.new.map { CommitID(bytes: $0) }
      let before = found[name].map { CommitID(bytes: $0.target) }
      let kind = own.last?.refKind ?? found[name]?.kind ?? RefKind.branch.rawValue
      // States since the ref was last made, the newest first.
      let states = own.reversed().prefix { $0.new != nil }.compactMap { $0.new.map { CommitID(bytes: $0) } }
      let wanted: CommitID?
      if let before, isStored(before) {
        let bearable = losses(before)
        if let last, !states.contains(before), isLater(before, last) {
          wanted = before
        } else {
          wanted = states.first { $0 == before || (isStored($0) && losses($0).isSubset(of: bearable)) } ?? before
        }
      } else if last == nil {
        wanted = nil
      } else {
        // What is damaged beneath a commit that is there a check names; it need not be lost for ever.
        wanted = states.first(where: isStored)
      }
      guard wanted != last else { continue }
      // A ref of which nothing is there, neither now nor before, stays what it was.
      if wanted == nil, before != nil { continue }
      correct(name, kind, from: last, to: wanted)
    }
  }

  private mutating func correct(_ name: String, _ kind: UInt8, from last: CommitID?, to wanted: CommitID?) {
    let place = wanted.map { "\(name) stands for \($0)" } ?? "there is no \(name)"
    let reason = last.map { "its log leads to commit \($0), of which less is here" } ?? "its log does not say so"
    sentences.append("\(place), because \(reason)")
    corrections.append(
      Self.correction(name, kind, from: last, to: wanted, reason: reason, after: moves + corrections, nowMicros: nowMicros))
  }

  /// A move that puts a ref right.
  /// - Parameter moves: all before it, the oldest first.
  static func correction(
    _ name: String, _ kind: UInt8, from last: CommitID?, to wanted: CommitID?, reason: String, after moves: [RefLogRecord],
    nowMicros: Int64
  ) -> RefLogRecord {
    let before = moves.last
    let ownMicros = moves.filter { $0.ref == name }.map(\.timeMicros).max()
    let timeMicros = [nowMicros - 1, before?.timeMicros, ownMicros].compactMap { $0 }.max() ?? nowMicros
    return RefLogRecord(
      sequence: (before?.sequence ?? 0) + 1, ref: name, refKind: kind, old: last?.bytes, new: wanted?.bytes, timeMicros: timeMicros + 1,
      reason: "repair: \(reason)")
  }

  /// The time up to which moves name commits that are gone, by these and the corrections; nil if none does.
  func expiredMicros(_ later: [RefLogRecord], isStored: (CommitID) -> Bool) -> Int64? {
    (later + corrections).filter { move in
      [move.old, move.new].contains { $0.map { !isStored(CommitID(bytes: $0)) } ?? false }
    }.map(\.timeMicros).max()
  }
}
