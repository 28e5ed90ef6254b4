import Almanac
import ArgumentParser
import Foundation
import JSON

struct Bisect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bisect", abstract: "Find the first bad commit by testing half of what is left, again and again.",
    subcommands: [BisectRun.self, BisectStart.self, BisectGood.self, BisectBad.self, BisectSkip.self, BisectReset.self])
}

private enum BisectText {
  static func json(_ step: BisectStep?, _ tested: [(commit: CommitName, verdict: BisectVerdict)] = []) -> JSON {
    var members: [String: JSON] = [
      "tested": .array(tested.map { ["commit": .string($0.commit.description), "verdict": .string($0.verdict.rawValue)] }),
      "first_bad": .null, "test": .null, "candidates": .null,
    ]
    switch step {
    case .found(let id): members["first_bad"] = .string(id.description)
    case .test(let id, let remaining):
      members["test"] = .string(id.description)
      members["remaining"] = .int(Int64(remaining))
    case .undecided(let ids): members["candidates"] = .array(ids.map { .string($0.description) })
    case nil: break
    }
    return .object(members)
  }

  /// - Throws: `ExitCode` 1 when the search ended without an answer.
  static func say(
    _ step: BisectStep?, _ repository: Repository, _ global: GlobalOptions,
    tested: [(commit: CommitName, verdict: BisectVerdict)] = []
  ) throws {
    if global.json {
      Terminal.out(json(step, tested))
    } else {
      switch step {
      case .found(let id):
        let commit = try repository.commit(id)
        Terminal.out("\(id) is the first bad commit")
        Terminal.out("author  \(commit.author)\ntime    \(Text.time(commit.timeMicros))\nmessage \(commit.message)")
      case .test(let id, let remaining):
        Terminal.out("Test commit \(id) next; about \(remaining) are left after it")
      case .undecided(let ids):
        Terminal.out("Only skipped commits are left; the first bad one is one of:")
        for id in ids { Terminal.out("  \(id)") }
      case nil: Terminal.out("Name a good and a bad commit: almanac bisect good A, almanac bisect bad B")
      }
    }
    if case .undecided = step { throw ExitCode(1) }
  }
}

struct BisectRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a command for each commit to be tested.",
    discussion: """
      The command gets the commit's id in ALMANAC_COMMIT. Exit code 0 says it is good, 125 that it cannot be tested, another one \
      below 126 that it is bad; all others end the search. Without --good and --bad it goes on with a search that was started.
      """)
  @OptionGroup var global: GlobalOptions
  @Option(help: "A commit that is good; may be repeated.") var good: [String] = []
  @Option(help: "A commit that is bad.") var bad: String?
  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.") var command: [String]

  func run() throws {
    let repository = try global.open()
    var words = command
    if words.first == "--" { words.removeFirst() }
    guard !words.isEmpty else { throw AlmanacError(.usage, "Name the command to run for each commit") }
    let report: BisectReport
    if good.isEmpty && bad == nil {
      report = try repository.runBisect { try test($0, words) }
    } else {
      guard let bad, !good.isEmpty else { throw AlmanacError(.usage, "Name both a --good and a --bad commit") }
      report = try repository.bisect(good: good, bad: bad) { try test($0, words) }
    }
    try BisectText.say(report.step, repository, global, tested: report.tested)
  }

  private func test(_ commit: CommitName, _ words: [String]) throws -> BisectVerdict {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    var environment = ProcessInfo.processInfo.environment
    environment["ALMANAC_COMMIT"] = commit.description
    process.environment = environment
    // Standard output is for the answer alone when a program reads it.
    if global.json { process.standardOutput = FileHandle.standardError }
    do {
      try process.run()
    } catch {
      throw AlmanacError(.io, "Cannot run \(words.joined(separator: " ")): \(error.localizedDescription)")
    }
    process.waitUntilExit()
    let code = process.terminationStatus
    guard process.terminationReason == .exit, code < 126 else {
      let how = process.terminationReason == .exit ? "exited with \(code)" : "was ended by signal \(code)"
      throw AlmanacError(
        .failed, "The search was ended: \(words.joined(separator: " ")) \(how) on commit \(commit.short)",
        hint: "Exit code 0 says good, 125 skip, 1 to 124 bad.")
    }
    let verdict: BisectVerdict = code == 0 ? .good : code == 125 ? .skip : .bad
    Terminal.err("\(commit.short) is \(verdict == .skip ? "skipped" : verdict.rawValue)")
    return verdict
  }
}

struct BisectStart: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "start", abstract: "Begin a search.")
  @OptionGroup var global: GlobalOptions
  @Option(help: "A commit that is good; may be repeated.") var good: [String] = []
  @Option(help: "A commit that is bad.") var bad: String?

  func run() throws {
    let repository = try global.open()
    try BisectText.say(repository.startBisect(good: good, bad: bad), repository, global)
  }
}

struct BisectGood: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "good", abstract: "Say that a commit is good.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The commit (default: the one to be tested).") var commit: String?

  func run() throws {
    let repository = try global.open()
    try BisectText.say(repository.markBisect(.good, commit), repository, global)
  }
}

struct BisectBad: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bad", abstract: "Say that a commit is bad.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The commit (default: the one to be tested).") var commit: String?

  func run() throws {
    let repository = try global.open()
    try BisectText.say(repository.markBisect(.bad, commit), repository, global)
  }
}

struct BisectSkip: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "skip", abstract: "Say that a commit cannot be tested.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The commit (default: the one to be tested).") var commit: String?

  func run() throws {
    let repository = try global.open()
    try BisectText.say(repository.markBisect(.skip, commit), repository, global)
  }
}

struct BisectReset: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "reset", abstract: "Forget the search.")
  @OptionGroup var global: GlobalOptions

  func run() throws {
    try global.open().resetBisect()
    if global.json { return Terminal.out(["reset": true]) }
    Terminal.out("The search is forgotten")
  }
}
