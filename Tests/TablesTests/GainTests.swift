import Columns
import Tables
import Testing

/// The rows that one version has and another has not, over random histories with tails, folds and seals.
@Suite struct GainTests {
  @Test func gainsAreTheRowsThatTheModelsDifferIn() throws {
    print("seeds 1...120")
    for seed in 1...120 {
      var history = try TailHistory(seed: seed)
      for _ in 0..<Int.random(in: 2...10, using: &history.random) { try history.step() }
      let indices = history.versions.indices
      let pairs = indices.dropFirst().flatMap { [($0 - 1, $0), ($0, $0 - 1)] } + [(0, indices.last!), (indices.last!, 1)]
      for (from, to) in pairs {
        let (old, new) = (history.versions[from], history.versions[to])
        guard let version = new.version else { continue }
        var found: [[Scalar]] = []
        try version.forEachGain(over: old.version) { found += TailHistory.scalars($0) }
        let expected = new.model.filter { key, row in !(old.model[key].map { TailHistory.sameRow($0, row) } ?? false) }
        let isRight =
          found.count == expected.count
          && found.allSatisfy { row in expected.values.contains { TailHistory.sameRow($0, row) } }
        #expect(isRight, "seed \(seed): \(from) to \(to)")
      }
    }
  }
}
