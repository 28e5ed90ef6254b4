import Almanac
import AlmanacServer
import JSON
import Testing

@Suite struct RequestMetricsTests {
  @Test func countsAreInPrometheusText() {
    let metrics = RequestMetrics()
    metrics.note(status: 200, duration: .microseconds(90))
    metrics.note(status: 200, duration: .microseconds(100))
    metrics.note(status: 404, duration: .milliseconds(3))
    metrics.note(status: 500, duration: .seconds(2))
    #expect(
      metrics.text(commit: "c0ffee", generation: 7) == """
        # HELP almanac_requests_total Requests for online features, by HTTP status.
        # TYPE almanac_requests_total counter
        almanac_requests_total{status="200"} 2
        almanac_requests_total{status="404"} 1
        almanac_requests_total{status="500"} 1
        # HELP almanac_request_duration_seconds Time to answer a request for online features.
        # TYPE almanac_request_duration_seconds histogram
        almanac_request_duration_seconds_bucket{le="0.0001"} 2
        almanac_request_duration_seconds_bucket{le="0.00025"} 2
        almanac_request_duration_seconds_bucket{le="0.0005"} 2
        almanac_request_duration_seconds_bucket{le="0.001"} 2
        almanac_request_duration_seconds_bucket{le="0.0025"} 2
        almanac_request_duration_seconds_bucket{le="0.005"} 3
        almanac_request_duration_seconds_bucket{le="0.01"} 3
        almanac_request_duration_seconds_bucket{le="0.025"} 3
        almanac_request_duration_seconds_bucket{le="0.05"} 3
        almanac_request_duration_seconds_bucket{le="0.1"} 3
        almanac_request_duration_seconds_bucket{le="0.25"} 3
        almanac_request_duration_seconds_bucket{le="1.0"} 3
        almanac_request_duration_seconds_bucket{le="+Inf"} 4
        almanac_request_duration_seconds_sum 2.00319
        almanac_request_duration_seconds_count 4
        # HELP almanac_generation_info The generation that is served.
        # TYPE almanac_generation_info gauge
        almanac_generation_info{commit="c0ffee",generation="7"} 1

        """)
  }

  @Test func failuresAreJSON() throws {
    let answer = OnlineAnswer.failure(status: 404, "There is no \"x\"\n")
    #expect(answer.status == 404)
    #expect(String(decoding: answer.body, as: UTF8.self) == #"{"detail":"There is no \"x\"\n"}"#)
  }
}
