import History

/// Where an undo or redo has led.
package struct UndoReport: Sendable {
  package let branch: String
  package let from: CommitID
  package let to: CommitID
}

extension Repository {
  /// Lets the current branch stand for what it stood for before its last `count` moves, whatever made them.
  ///
  /// Nothing is lost: the undo is itself an entry of the ref log. A second undo goes further back; `redo` goes forward again,
  /// until the branch is moved in another way.
  /// - Throws: `AlmanacError`: `failed` when there are not so many moves to undo; `usage` for a count below 1.
  package func undo(_ count: Int = 1) throws(AlmanacError) -> UndoReport {
    try step(count, "undo", available: { $0.past.count - 1 }, target: { $0.state(back: count) }, reason: RefUndo.reason(back: count))
  }

  /// Takes back the last `count` undos.
  package func redo(_ count: Int = 1) throws(AlmanacError) -> UndoReport {
    try step(count, "redo", available: { $0.future.count }, target: { $0.state(forward: count) }, reason: RefUndo.reason(forward: count))
  }

  private func step(
    _ count: Int, _ action: String, available: (RefUndo) -> Int, target: (RefUndo) -> CommitID?, reason: String
  ) throws(AlmanacError) -> UndoReport {
    guard count > 0 else { throw AlmanacError(.usage, "Cannot \(action) \(count) moves: expected a number from 1") }
    let branch = try headBranch()
    guard let current = try tip(of: branch) else {
      throw AlmanacError(.failed, "Nothing to \(action): branch \(branch) has no commit yet")
    }
    let moves = RefUndo(try reflog(branch))
    guard let new = target(moves) else {
      let there = max(0, available(moves))
      throw AlmanacError(
        .failed,
        there == 0
          ? "Nothing to \(action) on branch \(branch)" : "Cannot \(action) \(count) moves of branch \(branch): there are \(there)",
        hint: "`almanac reflog` lists its moves.")
    }
    let outcome = try AlmanacError.translating { try archive.moveRef(branch, to: new, expecting: current, reason: reason) }
    guard case .moved = outcome else {
      throw AlmanacError(.failed, "Branch \(branch) was moved by another writer; nothing was changed", hint: "Try again.")
    }
    return UndoReport(branch: branch, from: current, to: new)
  }

  /// Moves of one ref, or of all, the oldest first.
  /// - Throws: `notFound` for a name that never was one.
  package func reflog(_ ref: String?) throws(AlmanacError) -> [RefLogEntry] {
    let entries = try AlmanacError.translating { try archive.reflog(ref) }
    if let ref, entries.isEmpty, try ref != headBranch() {
      throw AlmanacError(.notFound, "There is no branch or tag \(ref), and there never was")
    }
    return entries
  }
}
