import AsyncHTTPClient
import Foundation

/// The proxy that the environment names for an address, as curl reads it.
///
/// `https_proxy` (or `HTTPS_PROXY`) and `http_proxy` (only so: `HTTP_PROXY` can be set by a request to a CGI program) hold
/// `http://[user:password@]host[:port]`; `no_proxy` (or `NO_PROXY`) hosts and endings of hosts that are reached directly, `*` for all.
struct HTTPProxy: Hashable {
  let host: String
  let port: Int
  let user: String?
  let password: String?

  /// Nil when there is none for the address, or it cannot be read. Loopback addresses are reached directly.
  init?(for address: String, environment: [String: String]) {
    guard let url = URLComponents(string: address), let target = url.host?.lowercased() else { return nil }
    let names = url.scheme == "https" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
    guard let text = names.compactMap({ environment[$0] }).first, !text.isEmpty else { return nil }
    let exceptions = (environment["no_proxy"] ?? environment["NO_PROXY"] ?? "").split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces).lowercased()
    }
    guard !["localhost", "127.0.0.1", "::1", "[::1]"].contains(target), !exceptions.contains(where: { Self.holds($0, target) }) else {
      return nil
    }
    guard let proxy = URLComponents(string: text.contains("://") ? text : "http://\(text)"), proxy.scheme == "http", let host = proxy.host,
      !host.isEmpty
    else { return nil }
    self.host = host
    port = proxy.port ?? 1080
    user = proxy.user
    password = proxy.password
  }

  /// Whether an entry of `no_proxy` means a host: itself, or a domain that it lies in.
  private static func holds(_ entry: String, _ host: String) -> Bool {
    guard entry != "*" else { return true }
    let domain = entry.hasPrefix(".") ? String(entry.dropFirst()) : entry
    return !domain.isEmpty && (host == domain || host.hasSuffix(".\(domain)"))
  }

  var configuration: HTTPClient.Configuration.Proxy {
    .server(host: host, port: port, authorization: user.map { .basic(username: $0, password: password ?? "") })
  }
}
