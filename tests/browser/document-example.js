async function signIn(email, password) {
  try {
    const response = await fetch("http://your-api-url/auth/signin", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ email, password }),
    });

    if (!response.ok) {
      throw new Error(`HTTP error! status: ${response.status}`);
    }

    const data = await response.json();
    console.log("Authentication successful:", data.token);
    return data.token;
  } catch (error) {
    console.error("Authentication failed:", error);
  }
}

// Usage
signIn("user@example.com", "userpassword").then((token) => {
  if (token) {
    // Use the token for authenticated requests
  }
});
