import Foundation

/// Names of files in a manifest: absolute as they were given, others relative to the folder that the manifest lies in, so that a
/// folder of labels, training sets and manifests can be moved.
enum ManifestPath {
  /// A path relative to the current folder as the manifest beside `output` has it; both may be `-`.
  static func relative(_ path: String, besides output: String) -> String {
    guard path != "-", output != "-", !path.hasPrefix("/") else { return path }
    let base = realPath(URL(fileURLWithPath: output).deletingLastPathComponent())
    let file = URL(fileURLWithPath: path)
    let target = realPath(file.deletingLastPathComponent()) + [file.lastPathComponent]
    let common = zip(base, target).prefix { $0 == $1 }.count
    return (Array(repeating: "..", count: base.count - common) + target[common...]).joined(separator: "/")
  }

  /// The same path for a process that runs anywhere. - Parameter manifest: the manifest's own path.
  static func resolved(_ path: String, in manifest: String) -> String {
    guard path != "-", !path.hasPrefix("/"), let slash = manifest.lastIndex(of: "/") else { return path }
    return String(manifest[...slash]) + path
  }

  static let suffix = ".manifest.json"

  private static func realPath(_ folder: URL) -> [String] { folder.resolvingSymlinksInPath().standardizedFileURL.pathComponents }
}
