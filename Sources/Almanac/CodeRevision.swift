import Dispatch
import Foundation
import JSON
import Synchronization

/// The state of the source code around a folder: the commit of the git repository that it lies in.
///
/// Provenance is worth having, never worth failing for: whatever cannot be found out is left out.
struct CodeRevision: Sendable {
  /// The commit's id in hexadecimal digits.
  let revision: String
  /// Whether tracked files differ from that commit; nil when git cannot say.
  let isDirty: Bool?

  var json: JSON {
    var object: [String: JSON] = ["revision": .string(revision)]
    object["dirty"] = isDirty.map { .bool($0) }
    return .object(object)
  }

  /// Nil when no git repository with a commit is around the folder.
  /// - Complexity: a few file system calls where there is none; `git status` of the tree where there is one, two seconds at most.
  init?(surrounding folder: String) {
    guard let place = Self.gitFolder(above: folder) else { return nil }
    guard let revision = Self.head(in: place.gitFolder) ?? Self.run(["rev-parse", "--verify", "HEAD"], in: place.tree).flatMap(Self.id)
    else { return nil }
    self.revision = revision
    isDirty = Self.run(["status", "--porcelain", "--untracked-files=no"], in: place.tree).map { !$0.isEmpty }
  }

  /// The nearest folder, upwards, that has a `.git`, and the folder that this is or names.
  private static func gitFolder(above folder: String) -> (tree: String, gitFolder: String)? {
    var url = URL(fileURLWithPath: folder).standardizedFileURL.resolvingSymlinksInPath()
    while true {
      let place = url.appendingPathComponent(".git").path
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) {
        if isFolder.boolValue { return (url.path, place) }
        // A linked worktree or a submodule: the file names the folder.
        guard let text = text(of: place), text.hasPrefix("gitdir: ") else { return nil }
        return (url.path, absolute(String(text.dropFirst("gitdir: ".count)), from: url.path))
      }
      let parent = url.deletingLastPathComponent()
      guard parent.path != url.path, url.path != "/" else { return nil }
      url = parent
    }
  }

  /// What HEAD stands for, read from loose and packed refs; nil for other ways to keep them.
  private static func head(in gitFolder: String) -> String? {
    guard let head = text(of: "\(gitFolder)/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return id(head) }
    let name = String(head.dropFirst("ref: ".count))
    let common = text(of: "\(gitFolder)/commondir").map { absolute($0, from: gitFolder) } ?? gitFolder
    if let loose = text(of: "\(gitFolder)/\(name)") ?? text(of: "\(common)/\(name)") { return id(loose) }
    for line in (text(of: "\(common)/packed-refs") ?? "").split(separator: "\n") where line.hasSuffix(" \(name)") {
      return id(String(line.prefix { $0 != " " }))
    }
    return nil
  }

  private static func id(_ text: String) -> String? {
    let id = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return [40, 64].contains(id.utf8.count) && id.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) } ? id : nil
  }

  private static func text(of path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func absolute(_ path: String, from folder: String) -> String {
    path.hasPrefix("/") ? path : URL(fileURLWithPath: "\(folder)/\(path)").standardizedFileURL.path
  }

  /// What git prints, nil when there is no git or it fails or takes longer than two seconds.
  private static func run(_ arguments: [String], in folder: String) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // No program of the repository's choice is started, and no index is written.
    process.arguments = ["git", "-C", folder, "-c", "core.fsmonitor=false"] + arguments
    var environment = ProcessInfo.processInfo.environment
    for name in ["GIT_DIR", "GIT_WORK_TREE"] { environment[name] = nil }
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    // Waiting for the exit itself looks only every 50 ms.
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    guard (try? process.run()) != nil else { return nil }
    let identifier = process.processIdentifier
    let deadline = DispatchWorkItem { kill(identifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(2), execute: deadline)
    let data = output.fileHandleForReading.readDataToEndOfFile()
    // Cancelled before the process is waited for, so that its number still means it.
    deadline.cancel()
    ended.wait()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self)
  }
}

/// A code revision that is looked up on another thread: git takes longer than a small commit.
final class CodeRevisionLookup: Sendable {
  private let outcome = Mutex<CodeRevision?>(nil)
  private let done = DispatchGroup()

  /// - Parameter folders: of the first that lies in a git repository the revision is taken.
  init(surrounding folders: [String]) {
    done.enter()
    DispatchQueue.global().async { [self] in
      for folder in folders {
        guard let found = CodeRevision(surrounding: folder) else { continue }
        outcome.withLock { $0 = found }
        break
      }
      done.leave()
    }
  }

  /// Nil when there is none. - Complexity: waits for git, two seconds at most
  var value: CodeRevision? {
    done.wait()
    return outcome.withLock { $0 }
  }
}
