import Objects
import Testing

@testable import History

/// Undo over the ref log goes back like an editor's.
@Suite struct RefUndoTests {
  private func id(_ number: UInt8) -> CommitID { CommitID(bytes: [UInt8](repeating: number, count: 32)) }

  private func moves(_ list: [(new: UInt8?, reason: String)]) -> RefUndo {
    var old: UInt8?
    var entries: [RefLogEntry] = []
    for (index, move) in list.enumerated() {
      entries.append(
        RefLogEntry(
          RefLogRecord(
            sequence: Int64(index + 1), ref: "main", refKind: 0, old: old.map { id($0).bytes }, new: move.new.map { id($0).bytes },
            timeMicros: Int64(index), reason: move.reason)))
      old = move.new
    }
    return RefUndo(entries)
  }

  @Test func undoGoesFurtherBackEachTime() {
    #expect(moves([]).state(back: 1) == nil)
    #expect(moves([(1, "commit: a")]).state(back: 1) == nil, "before its first commit there is nothing to go back to")
    let three: [(new: UInt8?, reason: String)] = [(1, "commit: a"), (2, "commit: b"), (3, "merge x")]
    #expect(moves(three).state(back: 1) == id(2))
    #expect(moves(three).state(back: 2) == id(1))
    #expect(moves(three).state(back: 3) == nil)
    #expect(moves(three + [(2, "undo 1")]).state(back: 1) == id(1))
    #expect(moves(three + [(2, "undo 1"), (1, "undo 1")]).state(back: 1) == nil)
  }

  @Test func redoGoesForwardUntilTheNextMove() {
    let undone: [(new: UInt8?, reason: String)] = [(1, "commit: a"), (2, "commit: b"), (3, "commit: c"), (1, "undo 2")]
    #expect(moves(undone).state(forward: 1) == id(2))
    #expect(moves(undone).state(forward: 2) == id(3))
    #expect(moves(undone).state(forward: 3) == nil)
    let redone = moves(undone + [(2, "redo 1")])
    #expect(redone.state(forward: 1) == id(3))
    #expect(redone.state(back: 1) == id(1))
    let moved = moves(undone + [(4, "commit: d")])
    #expect(moved.state(forward: 1) == nil)
    #expect(moved.past == [id(1), id(4)])
  }

  @Test func aReasonThatOnlyLooksLikeAnUndoIsAMove() {
    #expect(moves([(1, "commit: a"), (2, "commit: b"), (3, "undo 1")]).past == [id(1), id(2), id(3)])
    #expect(moves([(1, "commit: a"), (2, "undo 7")]).past == [id(1), id(2)])
  }

  @Test func aDeletedBranchTakesItsMovesWithIt() {
    let again = moves([(1, "commit: a"), (2, "commit: b"), (nil, "delete"), (5, "branch"), (6, "commit: c")])
    #expect(again.past == [id(5), id(6)])
  }
}
