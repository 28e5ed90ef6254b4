import History
import Objects

/// Another repository that this one knows by name.
package struct RemoteEntry: Hashable, Sendable {
  package let name: String
  /// An absolute path or a URL.
  package let address: String
}

extension Repository {
  package static let defaultRemote = "origin"

  /// By name.
  package func remotes() throws(AlmanacError) -> [RemoteEntry] {
    try AlmanacError.translating {
      try archive.remotes().map { RemoteEntry(name: $0.key, address: $0.value) }.sorted { $0.name < $1.name }
    }
  }

  /// - Parameter address: a folder, `file://…` or `http://…`; nothing is asked of it yet.
  /// - Throws: `AlmanacError`: `failed` when there is a remote of that name, `usage` for a name or address that cannot be.
  package func addRemote(_ name: String, _ address: String) throws(AlmanacError) -> RemoteEntry {
    guard !name.contains("/") else { throw AlmanacError(.usage, "Cannot name a remote \(name): a remote's name has no slash") }
    let entry = RemoteEntry(name: name, address: try RemoteDoor.normalized(address))
    if let known = try remotes().first(where: { $0.name == name }) {
      throw AlmanacError(
        .failed, "There is a remote \(name) already, \(known.address)", hint: "Remove it with: almanac remote remove \(name)")
    }
    try AlmanacError.translating { try archive.setRemote(name, to: entry.address) }
    return entry
  }

  /// Forgets a remote and what its branches stood for; objects that came from it stay until they are collected.
  package func removeRemote(_ name: String) throws(AlmanacError) {
    _ = try remote(named: name)
    try AlmanacError.translating {
      for ref in try archive.refs() where ref.kind == .tracking && ref.name.hasPrefix("\(name)/") {
        _ = try archive.deleteRef(ref.name, expecting: ref.commit, reason: "remote remove \(name)")
      }
      try archive.removeRemote(name)
    }
  }

  /// - Parameter name: nil for `origin`, or the only one there is.
  func remote(named name: String?) throws(AlmanacError) -> RemoteEntry {
    let all = try remotes()
    let wanted = name ?? (all.count == 1 ? all[0].name : Self.defaultRemote)
    guard let found = all.first(where: { $0.name == wanted }) else {
      throw AlmanacError(
        .notFound, "There is no remote \(wanted)",
        hint: all.isEmpty
          ? "Add one with: almanac remote add \(wanted) ADDRESS"
          : "Known remotes: \(all.map(\.name).joined(separator: ", ")).")
    }
    return found
  }

  /// What the branch of a remote is called here.
  static func trackingName(_ remote: String, _ branch: String) -> String { "\(remote)/\(branch)" }
}
