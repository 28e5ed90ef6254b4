import History
import JSON
import Objects

extension Repository {
  /// Keeps commits, with all that they reach, from gc while it lives.
  ///
  /// A commit that is gone already is left to the reader to name.
  func lease(_ commits: [CommitID]) throws(AlmanacError) -> Lease {
    try AlmanacError.translating { try archive.lease(commits) }
  }

  /// Finds what nothing needs any more, and removes it unless it is only to be shown.
  ///
  /// Kept is what a ref, a move of a ref within `retention`, a lease or a generation reaches, and whatever is younger than
  /// `grace`. Safe beside readers and writers; a crash leaves files that the next call takes.
  /// - Parameters:
  ///   - retention, grace: durations such as `30d`; nil for 90 days and 1 hour.
  ///   - isDryRun: changes nothing.
  package func collectGarbage(retention: String? = nil, grace: String? = nil, isDryRun: Bool) throws(AlmanacError) -> GarbageReport {
    var rules = GarbageRules()
    if let retention { rules.retentionMicros = try Self.duration(retention, option: "--retention") }
    if let grace { rules.graceMicros = try Self.duration(grace, option: "--grace") }
    let store = generations
    return try AlmanacError.translating {
      try archive.collectGarbage(rules, isDryRun: isDryRun) { () throws(StoreError) in
        do {
          return try store.numbers().map { try store.record($0).commit }
        } catch {
          throw StoreError(kind: .corrupt, text: "Cannot remove garbage: \(AlmanacError(error).description)")
        }
      }
    }
  }

  /// An integer with a unit (`ms`, `s`, `m`, `h`, `d`, `w`), as microseconds; 0 needs no unit.
  static func duration(_ text: String, option: String) throws(AlmanacError) -> Int64 {
    let units: [String: Int64] = [
      "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000,
    ]
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = String(text.dropFirst(digits.count))
    if let number = Int64(digits), let factor = number == 0 && unit.isEmpty ? 1 : units[unit] {
      let (product, overflows) = number.multipliedReportingOverflow(by: factor)
      if !overflows && product < 1 << 60 { return product }
    }
    throw AlmanacError(.usage, "Cannot read \(option) \(text): expected a whole number with ms, s, m, h, d or w, for example 30d")
  }
}

extension GarbageReport {
  package var json: JSON {
    [
      "done": .bool(isDone), "bytes": .int(Int64(byteCount)),
      "objects": .object(objectCounts.mapValues { .int(Int64($0)) }),
      "files": .array(
        items.map { ["kind": .string($0.kind.rawValue), "path": .string($0.path), "bytes": .int(Int64($0.byteCount))] }),
    ]
  }
}
