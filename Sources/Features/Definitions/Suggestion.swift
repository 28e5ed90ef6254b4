/// The name among `candidates` that a misspelt one probably means.
package enum Suggestion {
  /// ` (did you mean X?)`, or nothing when no name is near.
  package static func text(for name: String, among candidates: some Sequence<String>) -> String {
    nearest(to: name, among: candidates).map { " (did you mean \($0)?)" } ?? ""
  }

  /// The nearest candidate within a third of the name's length (at least 2 edits), the first of equals.
  static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    // Longer names are no misspelling of anything, and the distance is quadratic.
    guard name.utf8.count <= 100 else { return nil }
    let limit = max(2, name.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates where abs(candidate.count - name.count) <= limit && candidate.utf8.count <= 200 {
      let distance = editDistance(Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
      // A distance of the whole name is no likeness.
      if distance <= limit && distance < max(name.count, candidate.count) && distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours. - Complexity: O(|a| · |b|)
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforePrevious[j - 1] + 1) }
        current.append(cost)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[b.count]
  }
}
