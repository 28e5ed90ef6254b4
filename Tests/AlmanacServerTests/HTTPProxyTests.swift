import Testing

@testable import AlmanacServer

/// Proxies are taken from the environment as curl takes them.
@Suite struct HTTPProxyTests {
  private func proxy(_ address: String, _ environment: [String: String]) -> String? {
    HTTPProxy(for: address, environment: environment).map { "\($0.user ?? "")@\($0.host):\($0.port)" }
  }

  @Test func theSchemeSaysWhichVariableCounts() {
    let environment = ["http_proxy": "http://plain:3128", "https_proxy": "secure:8080", "HTTP_PROXY": "http://never:1"]
    #expect(proxy("http://data.example:6566", environment) == "@plain:3128")
    #expect(proxy("https://data.example", environment) == "@secure:8080")
    #expect(proxy("http://data.example", ["HTTP_PROXY": "http://never:1"]) == nil)
    #expect(proxy("https://data.example", ["HTTPS_PROXY": "http://ada:secret@secure"]) == "ada@secure:1080")
  }

  @Test(arguments: ["*", "example", "data.example", ".example", "a.b, data.example"])
  func exceptionsAreReachedDirectly(exceptions: String) {
    #expect(proxy("http://data.example", ["http_proxy": "plain", "no_proxy": exceptions]) == nil)
  }

  @Test(arguments: ["", "ample", "other.example", "data.example.org"])
  func otherExceptionsMeanOtherHosts(exceptions: String) {
    #expect(proxy("http://data.example", ["http_proxy": "plain", "NO_PROXY": exceptions]) == "@plain:1080")
  }

  @Test(arguments: ["http://localhost:6566", "http://127.0.0.1:6566", "http://[::1]:6566"])
  func thisMachineIsReachedDirectly(address: String) {
    #expect(proxy(address, ["http_proxy": "plain"]) == nil)
  }

  @Test(arguments: ["", "ftp://plain", "socks5://plain:1", "http://"])
  func whatCannotBeReadIsNoProxy(text: String) {
    #expect(proxy("http://data.example", ["http_proxy": text]) == nil)
  }
}
