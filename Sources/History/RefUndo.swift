/// Going back and forth in the log of a ref, as an editor does: every undo is a move of its own, so nothing is ever lost.
///
/// A move that is no undo or redo starts a new line of states; an undo steps back from where the last one ended, a redo steps
/// forward again until the next ordinary move.
package struct RefUndo: Sendable {
  static let undoReason = "undo "
  static let redoReason = "redo "

  /// States to go back to, the current one last; then those that were undone, the next to redo last.
  package private(set) var past: [CommitID] = []
  package private(set) var future: [CommitID] = []

  /// - Parameter entries: of one ref, the oldest first.
  package init(_ entries: [RefLogEntry]) {
    for entry in entries {
      guard let new = entry.new else {
        // The ref was deleted: what comes after is another one of that name.
        past = []
        future = []
        continue
      }
      if let count = Self.count(entry.reason, Self.undoReason), self.state(back: count) == new {
        step(back: count)
      } else if let count = Self.count(entry.reason, Self.redoReason), state(forward: count) == new {
        step(forward: count)
      } else {
        past.append(new)
        future = []
      }
    }
  }

  /// Where `count` undos lead; nil when there are not so many.
  package func state(back count: Int) -> CommitID? { count > 0 && count < past.count ? past[past.count - 1 - count] : nil }
  package func state(forward count: Int) -> CommitID? {
    count > 0 && count <= future.count ? future[future.count - count] : nil
  }

  package static func reason(back count: Int) -> String { "\(undoReason)\(count)" }
  package static func reason(forward count: Int) -> String { "\(redoReason)\(count)" }

  private mutating func step(back count: Int) {
    for _ in 0..<count { future.append(past.removeLast()) }
  }

  private mutating func step(forward count: Int) {
    for _ in 0..<count { past.append(future.removeLast()) }
  }

  private static func count(_ reason: String, _ prefix: String) -> Int? {
    guard reason.hasPrefix(prefix) else { return nil }
    return Int(reason.dropFirst(prefix.count))
  }
}
