import Foundation
import History
import JSON

/// What a test says of one commit.
package enum BisectVerdict: String, Sendable {
  case good, bad
  /// It cannot be tested.
  case skip
}

/// A search for the first bad commit.
package struct BisectReport: Sendable {
  package let step: Bisection.Step
  package var tested: [(commit: CommitID, verdict: BisectVerdict)] = []
}

/// What is known in a search that goes on over several commands; kept beside the repository's store.
private struct BisectState {
  var good: [CommitID] = []
  var bad: CommitID?
  var skipped: [CommitID] = []

  init() {}

  init?(json: JSON) {
    func ids(_ name: String) -> [CommitID]? { json[name]?.arrayValue?.compactMap { $0.stringValue.flatMap { CommitID(hex: $0) } } }
    guard let good = ids("good"), let skipped = ids("skipped") else { return nil }
    self.good = good
    self.skipped = skipped
    bad = json["bad"]?.stringValue.flatMap { CommitID(hex: $0) }
  }

  var json: JSON {
    [
      "good": .array(good.map { .string($0.description) }), "bad": bad.map { .string($0.description) } ?? .null,
      "skipped": .array(skipped.map { .string($0.description) }),
    ]
  }
}

extension Repository {
  /// Searches the first bad commit between good ones and a bad one, testing about log2 of them.
  ///
  /// Merges are followed as git does: every step halves the commits that are left, whatever branch they are on.
  /// - Parameter test: called with each commit to be tested; what it throws ends the search.
  /// - Throws: `usage` unless every good commit is an ancestor of the bad one.
  package func bisect(
    good: [String], bad: String, test: (CommitID) throws -> BisectVerdict
  ) throws(AlmanacError) -> BisectReport {
    let goods = try good.map { (spec) throws(AlmanacError) in try resolve(spec) }
    let worst = try resolve(bad)
    return try AlmanacError.translating {
      var search = try Bisection(bad: worst, good: goods, in: archive)
      return try finish(&search, test)
    }
  }

  private func finish(_ search: inout Bisection, _ test: (CommitID) throws -> BisectVerdict) throws -> BisectReport {
    var tested: [(commit: CommitID, verdict: BisectVerdict)] = []
    while true {
      let step = search.next()
      guard case .test(let id, _) = step else { return BisectReport(step: step, tested: tested) }
      let verdict = try test(id)
      tested.append((id, verdict))
      switch verdict {
      case .good: search.noteGood(id)
      case .bad: search.noteBad(id)
      case .skip: search.noteSkipped(id)
      }
    }
  }

  // MARK: Step by step

  private var bisectPath: String { "\(storeFolder)/bisect.json" }

  private func bisectState() throws(AlmanacError) -> BisectState {
    guard let data = FileManager.default.contents(atPath: bisectPath) else {
      throw AlmanacError(.failed, "There is no bisection to go on with", hint: "Start one with `almanac bisect start --good A --bad B`.")
    }
    guard let json = try? JSON(parsing: Array(data)), let state = BisectState(json: json) else {
      throw AlmanacError(.io, "Cannot read \(bisectPath)", hint: "Start again with `almanac bisect start`.")
    }
    return state
  }

  private func keep(_ state: BisectState) throws(AlmanacError) {
    try OutputPlace.write(state.json.canonicalBytes, to: bisectPath)
  }

  private func search(_ state: BisectState) throws(AlmanacError) -> Bisection? {
    guard let bad = state.bad, !state.good.isEmpty else { return nil }
    return try AlmanacError.translating {
      var search = try Bisection(bad: bad, good: state.good, in: archive)
      for id in state.skipped { search.noteSkipped(id) }
      return search
    }
  }

  /// Begins a search; what was known of another one is forgotten.
  /// - Returns: the first commit to test; nil until a good and a bad one are known. The same below.
  package func startBisect(good: [String], bad: String?) throws(AlmanacError) -> Bisection.Step? {
    var state = BisectState()
    state.good = try good.map { (spec) throws(AlmanacError) in try resolve(spec) }
    state.bad = try bad.map { (spec) throws(AlmanacError) in try resolve(spec) }
    let step = try search(state)?.next()
    try keep(state)
    return step
  }

  /// - Parameter spec: the commit judged; nil: the one that was to be tested.
  package func markBisect(_ verdict: BisectVerdict, _ spec: String?) throws(AlmanacError) -> Bisection.Step? {
    var state = try bisectState()
    let id: CommitID
    if let spec {
      id = try resolve(spec)
    } else {
      guard let search = try search(state), case .test(let next, _) = search.next() else {
        throw AlmanacError(.usage, "There is no commit to be tested; name the one that is \(verdict.rawValue)")
      }
      id = next
    }
    switch verdict {
    case .good: state.good.append(id)
    case .bad: state.bad = id
    case .skip: state.skipped.append(id)
    }
    let step = try search(state)?.next()
    try keep(state)
    return step
  }

  /// Goes on by itself with a search that was started.
  package func runBisect(test: (CommitID) throws -> BisectVerdict) throws(AlmanacError) -> BisectReport {
    let state = try bisectState()
    guard var search = try search(state) else {
      throw AlmanacError(.usage, "Cannot bisect: a good and a bad commit are needed", hint: "Name them with --good and --bad.")
    }
    return try AlmanacError.translating { try finish(&search, test) }
  }

  /// Forgets the search.
  package func resetBisect() throws(AlmanacError) {
    guard FileManager.default.fileExists(atPath: bisectPath) else { return }
    do {
      try FileManager.default.removeItem(atPath: bisectPath)
    } catch {
      throw AlmanacError(.io, "Cannot remove \(bisectPath): \(error.localizedDescription)")
    }
  }
}
