import Almanac
import AlmanacServer
import ArgumentParser
import Foundation
import JSON

/// The way to remote repositories: HTTP with the token of the environment.
private let door = RemoteDoor(http: { HTTPRemote(address: $0, token: ServerToken.fromEnvironment) })

enum ServerToken {
  /// `ALMANAC_TOKEN`; nil when it is not set or empty.
  static var fromEnvironment: String? {
    let token = ProcessInfo.processInfo.environment["ALMANAC_TOKEN"] ?? ""
    return token.isEmpty ? nil : token
  }
}

private func json(_ transfer: TransferReport) -> JSON {
  [
    "commits": .int(Int64(transfer.commitCount)), "objects": .int(Int64(transfer.objectCount)),
    "objectBytes": .int(Int64(transfer.objectByteCount)), "files": .int(Int64(transfer.fileCount)),
    "fileBytes": .int(Int64(transfer.fileByteCount)),
  ]
}

private func json(_ id: CommitName?) -> JSON { id.map { .string($0.description) } ?? .null }

private func text(_ transfer: TransferReport, _ verb: String) -> String {
  let bytes = transfer.objectByteCount + transfer.fileByteCount
  return "\(verb) \(Terminal.grouped(transfer.objectCount)) objects and \(Terminal.grouped(transfer.fileCount)) files, "
    + "\(Terminal.grouped(bytes)) bytes"
}

private func json(_ fetch: FetchReport) -> JSON {
  [
    "remote": .string(fetch.remote.name),
    "refs": .array(fetch.moves.map { ["name": .string($0.ref), "old": json($0.old), "new": json($0.new)] }),
    "transfer": json(fetch.transfer), "notes": .array(fetch.notes.map { .string($0) }),
  ]
}

private func report(_ fetch: FetchReport) {
  for note in fetch.notes { Terminal.err("note: \(note)") }
  if fetch.transfer.objectCount > 0 { Terminal.out(text(fetch.transfer, "Received")) }
  for move in fetch.moves { Terminal.out("  \(move.ref)  \(move.old.map { "\($0.short) -> " } ?? "new at ")\(move.new.short)") }
}

struct Clone: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a repository with its history.",
    discussion:
      "URL is a folder, file:///folder, or http://host:port of an `almanac serve`. A clone that was interrupted goes on when repeated.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("Where it is.", valueName: "url")) var address: String
  @Argument(help: "The new folder (default: the last part of the URL).") var folder: String?

  func run() throws {
    let target = folder ?? (address.split(separator: "/").last.map(String.init) ?? "")
    guard !target.isEmpty, folder != nil || !target.contains(":") else {
      throw AlmanacError(.usage, "Name a folder for the clone of \(address)")
    }
    let report = try Repository.clone(address, to: target, through: door, progress: ProgressBar.handler(global, unit: "bytes"))
    ProgressBar.clear()
    if global.json {
      return Terminal.out([
        "repository": .string(target), "branch": .string(report.branch), "commit": json(report.commit),
        "transfer": json(report.fetch.transfer), "files": .array(report.export.files.map { .string($0) }),
      ])
    }
    for note in report.fetch.notes { Terminal.err("note: \(note)") }
    Terminal.out(text(report.fetch.transfer, "Received"))
    Terminal.out("Cloned to \(target), branch \(report.branch)\(report.commit.map { " at \($0.short)" } ?? ", which has no commits yet")")
    for name in report.export.skipped { Terminal.err("note: dataset \(name) is registered, but its contract has no form as a file") }
  }
}

struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Name the repositories to fetch from and push to.",
    subcommands: [Add.self, List.self, Remove.self], defaultSubcommand: List.self)

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remember a remote repository.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "Its name here.") var name: String
    @Argument(help: ArgumentHelp("A folder, file:///folder, or http://host:port.", valueName: "url")) var address: String

    func run() throws {
      let entry = try global.open().addRemote(name, address)
      if global.json { return Terminal.out(["name": .string(entry.name), "url": .string(entry.address)]) }
      Terminal.out("Added remote \(entry.name), \(entry.address)")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List remote repositories.")
    @OptionGroup var global: GlobalOptions

    func run() throws {
      let all = try global.open().remotes()
      if global.json { return Terminal.out(.array(all.map { ["name": .string($0.name), "url": .string($0.address)] })) }
      for entry in all { Terminal.out("\(entry.name)  \(entry.address)") }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Forget a remote repository and what its branches were at.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "Its name here.") var name: String

    func run() throws {
      try global.open().removeRemote(name)
      if global.json { return Terminal.out(["removed": .string(name)]) }
      Terminal.out("Removed remote \(name)")
    }
  }
}

struct Fetch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Get what a remote has, without changing a branch.",
    discussion: "origin/main then is what the remote's main is at, and origin/main@{T} what it was at then.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The remote (default: origin).") var remote: String?

  func run() throws {
    let fetched = try global.open().fetch(remote, through: door, progress: ProgressBar.handler(global, unit: "bytes"))
    ProgressBar.clear()
    if global.json { return Terminal.out(json(fetched)) }
    report(fetched)
    if fetched.moves.isEmpty { Terminal.out("Nothing new in \(fetched.remote.name)") }
  }
}

struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Fetch, and bring a branch to where the remote's is.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The remote (default: origin).") var remote: String?
  @Argument(help: "The branch (default: the current one).") var branch: String?

  func run() throws {
    let pulled = try global.open().pull(remote, branch: branch, through: door, progress: ProgressBar.handler(global, unit: "bytes"))
    ProgressBar.clear()
    if global.json {
      return Terminal.out([
        "fetch": json(pulled.fetch), "branch": .string(pulled.branch), "outcome": .string(pulled.outcome.rawValue),
        "old": json(pulled.old), "new": json(pulled.new),
      ])
    }
    report(pulled.fetch)
    switch pulled.outcome {
    case .created: Terminal.out("Made branch \(pulled.branch) at \(pulled.new.short)")
    case .upToDate: Terminal.out("Branch \(pulled.branch) is up to date")
    case .ahead: Terminal.out("Branch \(pulled.branch) has everything that \(pulled.fetch.remote.name) has, and more")
    case .fastForward: Terminal.out("Branch \(pulled.branch)  \(pulled.old?.short ?? "") -> \(pulled.new.short)")
    case .merged: Terminal.out("Merged into branch \(pulled.branch): \(pulled.new.short)")
    }
  }
}

struct Push: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send a branch or tag to a remote.",
    discussion:
      "Refused (exit code 1) when the remote's branch has commits that are not here. A server takes pushes only with --allow-push.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The remote (default: origin).") var remote: String?
  @Argument(help: "The branch or tag (default: the current branch).") var ref: String?
  @Flag(help: "Replace what is there, if it is what was last fetched.") var forceWithLease = false

  func run() throws {
    let pushed = try global.open().push(
      remote, ref: ref, forceWithLease: forceWithLease, through: door, progress: ProgressBar.handler(global, unit: "bytes"))
    ProgressBar.clear()
    if global.json {
      return Terminal.out([
        "remote": .string(pushed.remote.name), "ref": .string(pushed.ref), "old": json(pushed.old), "new": json(pushed.new),
        "transfer": json(pushed.transfer),
      ])
    }
    if pushed.old == pushed.new { return Terminal.out("\(pushed.remote.name) has \(pushed.ref) already") }
    Terminal.out(text(pushed.transfer, "Sent"))
    Terminal.out("  \(pushed.remote.name)/\(pushed.ref)  \(pushed.old.map { "\($0.short) -> " } ?? "new at ")\(pushed.new.short)")
  }
}
