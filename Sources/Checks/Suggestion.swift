/// The name that a misspelt one probably means.
enum Suggestion {
  /// `; did you mean X?`, or nothing when no name is near.
  static func text(for name: String, among candidates: some Sequence<String>) -> String {
    nearest(to: name, among: candidates).map { "; did you mean \($0)?" } ?? ""
  }

  /// The nearest candidate within a third of the name's length (at least 2 edits), the first of equals.
  static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    // Longer names are no misspelling of anything, and the distance is quadratic.
    guard name.utf8.count <= 100 else { return nil }
    let limit = max(2, name.utf8.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates where abs(candidate.utf8.count - name.utf8.count) <= limit {
      let distance = editDistance(Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
      // A distance of the whole name is no likeness.
      if distance <= limit && distance < max(name.utf8.count, candidate.utf8.count) && distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.name
  }

  /// Levenshtein distance. - Complexity: O(|a| · |b|)
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var current = [i + 1]
      for (j, y) in b.enumerated() {
        current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
      }
      previous = current
    }
    return previous[b.count]
  }
}
