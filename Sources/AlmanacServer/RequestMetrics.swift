import Synchronization

/// Counts of `/get-online-features` in Prometheus' text format.
package final class RequestMetrics: Sendable {
  /// Upper bounds of the latency buckets, microseconds.
  private static let bounds: [Int64] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000]

  private struct State {
    var requestCounts: [Int: Int] = [:]
    var bucketCounts = [Int](repeating: 0, count: RequestMetrics.bounds.count)
    var totalMicros: Int64 = 0
    var count = 0
  }

  private let state = Mutex(State())

  package init() {}

  package func note(status: Int, duration: Duration) {
    let micros = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
    state.withLock { state in
      state.requestCounts[status, default: 0] += 1
      state.totalMicros += micros
      state.count += 1
      if let bucket = Self.bounds.firstIndex(where: { micros <= $0 }) { state.bucketCounts[bucket] += 1 }
    }
  }

  package func text(commit: String, generation: Int) -> String {
    let state = state.withLock { $0 }
    var lines = [
      "# HELP almanac_requests_total Requests for online features, by HTTP status.",
      "# TYPE almanac_requests_total counter",
    ]
    for (status, count) in state.requestCounts.sorted(by: { $0.key < $1.key }) {
      lines.append("almanac_requests_total{status=\"\(status)\"} \(count)")
    }
    lines.append("# HELP almanac_request_duration_seconds Time to answer a request for online features.")
    lines.append("# TYPE almanac_request_duration_seconds histogram")
    var sum = 0
    for (bound, count) in zip(Self.bounds, state.bucketCounts) {
      sum += count
      lines.append("almanac_request_duration_seconds_bucket{le=\"\(Double(bound) / 1e6)\"} \(sum)")
    }
    lines.append("almanac_request_duration_seconds_bucket{le=\"+Inf\"} \(state.count)")
    lines.append("almanac_request_duration_seconds_sum \(Double(state.totalMicros) / 1e6)")
    lines.append("almanac_request_duration_seconds_count \(state.count)")
    lines.append("# HELP almanac_generation_info The generation that is served.")
    lines.append("# TYPE almanac_generation_info gauge")
    lines.append("almanac_generation_info{commit=\"\(commit)\",generation=\"\(generation)\"} 1")
    return lines.joined(separator: "\n") + "\n"
  }
}
